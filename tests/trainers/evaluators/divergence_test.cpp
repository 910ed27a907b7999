#include "retia/trainers/evaluators/divergence.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

namespace retia {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

EpochReport report(double loss, const Score& score) {
  EpochReport last;
  last.loss = loss;
  last.validation = score;
  return last;
}

TEST(Divergence, IsALossFarAboveThatOfGuessing) {
  // ln 10 is 2.3026.
  EXPECT_THAT(divergence_of(report(23, {.loss = 230, .n_samples = 8}), 10), IsEmpty());
  EXPECT_THAT(divergence_of(report(23.1, {.loss = 1, .n_samples = 8}), 10),
              HasSubstr("the training loss of the last epoch is 23.1, but guessing gives 2.30"));
  EXPECT_THAT(divergence_of(report(1, {.loss = 231, .n_samples = 8}), 10),
              HasSubstr("the validation loss is 231"));
}

TEST(Divergence, IsTheSameOutputForAllSamples) {
  EXPECT_EQ(divergence_of(report(1, {.loss = 1, .n_samples = 8, .varies = false}), 10),
            "the outputs are the same for all 8 validation samples");
  EXPECT_THAT(divergence_of(report(0, {.n_samples = 8, .varies = false}), 1), IsEmpty());
}

TEST(Divergence, OfARegressionIsItsErrorAgainstTheVarianceOrAConstant) {
  const at::Tensor targets = at::tensor({1.0, 2.0, 3.0}, at::kDouble);
  EXPECT_THAT(divergence_of(targets + 9.9, targets, 1), IsEmpty());
  EXPECT_THAT(divergence_of(targets + 10.1, targets, 1),
              HasSubstr("the mean squared error is 102"));
  EXPECT_THAT(divergence_of(targets + 10.1, targets, 2), IsEmpty());
  EXPECT_EQ(divergence_of(at::full({3}, 2.0, at::kDouble), targets, 1),
            "the prediction is the same for all 3 validation samples");
  const at::Tensor equal = at::full({3}, 5.0, at::kDouble);
  EXPECT_THAT(divergence_of(equal, equal, 1), IsEmpty());
}

TEST(Divergence, MarksATrialThatThrowsIt) {
  const Evaluation diverged = unless_it_diverges([]() -> Evaluation {
    throw Divergence({"f", "file", 1}, "the loss became NaN");
  });
  EXPECT_EQ(diverged.status, TrialStatus::Diverged);
  EXPECT_EQ(diverged.error, "the loss became NaN");
  EXPECT_THROW(unless_it_diverges([]() -> Evaluation { TORCH_CHECK(false, "other"); }), c10::Error);
  EXPECT_EQ(marked({.objectives = {1}}, "").status, TrialStatus::Succeeded);
}

}  // namespace
}  // namespace retia
