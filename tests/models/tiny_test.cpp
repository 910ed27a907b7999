#include "retia/models/tiny.h"

#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

TEST(Tiny, DecidesABodyAndASkip) {
  const std::vector<Mutable> choices = ir::mutables(tiny({}, kDigits));
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0].label, "body");
  EXPECT_EQ(choices[0].names, (std::vector<std::string>{"conv3x3", "conv5x5", "skip"}));
  EXPECT_EQ(choices[1].label, "skip");
  EXPECT_EQ(choices[1].names, (std::vector<std::string>{"stem", "body"}));
}

TEST(Tiny, ReadsBackEqualFromJson) {
  expect_reads_back_equal(tiny({}, kDigits));
  expect_reads_back_equal(tiny({.width_choice = true}, kDigits));
}

TEST(Tiny, RunsEveryCandidate) { expect_every_candidate_runs(tiny({}, kDigits), {1, 8, 8}, 10); }

TEST(Tiny, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(tiny({}, kDigits), {1, 8, 8});
}

TEST(Tiny, TakesItsHiddenWidthFromAValueChoice) {
  const ir::Graph space = tiny({.width_choice = true}, kDigits);
  const ir::Graph model = ir::freeze(space, {{"body", {{2}}}, {"skip", {{0}}}, {"width", {{1}}}});
  const auto parameters = Network(model, 1)->named_parameters();
  EXPECT_EQ(parameters["hidden.weight"].sizes(), at::IntArrayRef({32, 8}));
  EXPECT_EQ(parameters["head.weight"].sizes(), at::IntArrayRef({10, 32}));
  expect_frozen_equals_path(space, {1, 8, 8});
}

}  // namespace
}  // namespace retia
