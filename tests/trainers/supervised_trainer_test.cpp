#include "retia/trainers/supervised_trainer.h"

#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

/// The planted model with layers that draw per sample, so that resuming must draw the same.
ir::Graph model() {
  Builder b("net");
  Wire x = b.input("image", {1, 6, 6});
  x = b.add("stem", block({.out = 6}), {x});
  const Wire dropped =
      b.add("drop", ops::drop_path({.probability = 0.5}), {b.add("deep", block(), {x})});
  x = b.add("relu", ops::relu(), {b.add("sum", ops::add(), {x, dropped})});
  b.output("y", b.add("head", ops::linear({.out = 2}), {b.add("mean", ops::global_mean(), {x})}));
  return b.finish();
}

TrainingRun make(int64_t epochs) {
  return {nullptr, std::make_unique<SupervisedTrainer>(
                       Network(model(), 1), stripe_batches(52, 2, 8), stripe_batches(20, 3, 8),
                       TrainerOptions{.epochs = epochs}, SgdOptions{.lr = 0.1})};
}

TEST(SupervisedTrainer, ResumesBitForBit) {
  expect_resumes_exactly([] { return make(3); }, 4);   // in the first epoch
  expect_resumes_exactly([] { return make(3); }, 7);   // between two
  expect_resumes_exactly([] { return make(3); }, 12);  // in the second
}

TEST(SupervisedTrainer, LearnsWhatOnlyAConvolutionSees) {
  const TrainingRun run = make(8);
  Recorder recorder;
  run.trainer->fit(recorder, nullptr);
  EXPECT_GT(recorder.epochs.back().validation->accuracy, 0.95);
  EXPECT_EQ(recorder.epochs.back().validation->n_samples, 20);
  EXPECT_LT(recorder.epochs.back().loss, recorder.epochs.front().loss);
}

TEST(SupervisedTrainer, ScoresNothingWithoutAValidationSet) {
  SupervisedTrainer trainer(Network(model(), 1), stripe_batches(16, 2, 8), std::nullopt,
                            {.epochs = 1}, {});
  Recorder recorder;
  trainer.fit(recorder, nullptr);
  EXPECT_FALSE(recorder.epochs.back().validation.has_value());
}

}  // namespace
}  // namespace retia
