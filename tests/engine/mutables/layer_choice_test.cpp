#include "retia/engine/mutables/layer_choice.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/mutables/mutator.h"
#include "retia/tests/engine/applied_mutator.h"
#include "retia/tests/engine/mutables/scale.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LayerChoice, RunsTheCandidateThatIsChosenAndNoOther) {
  const Scale five(5);
  const Scale seven(7);
  LayerChoice op(std::vector<NamedCandidate>{{"five", five}, {"seven", seven}}, "op");
  AppliedMutator mutator(*op);
  const at::Tensor x = at::ones({2}, at::kDouble);
  mutator.apply({{"op", {{1}}}});
  EXPECT_EQ(op->forward(x).sum().item<double>(), 14);
  EXPECT_EQ(five->n_calls, 0);
  EXPECT_EQ(seven->n_calls, 1);
  mutator.apply({{"op", {{0}}}});
  EXPECT_EQ(op(x).sum().item<double>(), 10);
  EXPECT_EQ(op->run_candidate(1, x).sum().item<double>(), 14);
}

TEST(LayerChoice, NestsInAnotherOne) {
  const LayerChoice inner(std::vector<NamedCandidate>{{"two", Scale(2)}, {"three", Scale(3)}});
  const InputChoice both(InputChoiceModuleOptions{.n_candidates = 2, .n_chosen = std::nullopt});
  LayerChoice outer(
      std::vector<NamedCandidate>{{"inner", inner}, {"five", Scale(5)}, {"both", both}}, "outer");
  AppliedMutator mutator(*outer);
  std::vector<std::string> labels;
  for (const Mutable& choice : mutator.mutables()) {
    labels.push_back(choice.label);
  }
  EXPECT_THAT(labels, ElementsAre("outer", "inner", "both"));
  const std::vector<at::Tensor> xy = {at::ones({2}, at::kDouble), at::full({2}, 10, at::kDouble)};
  const auto sum = [&](int64_t out, int64_t in, std::vector<int64_t> inputs) {
    mutator.apply({{"outer", {{out}}}, {"inner", {{in}}}, {"both", {std::move(inputs)}}});
    return outer->forward(xy).sum().item<double>();
  };
  EXPECT_EQ(sum(0, 0, {}), 4);
  EXPECT_EQ(sum(0, 1, {}), 6);
  EXPECT_EQ(sum(1, 1, {}), 10);
  EXPECT_EQ(sum(2, 1, {1}), 20);
  EXPECT_EQ(sum(2, 1, {0, 1}), 22);
}

TEST(LayerChoice, OwnsTheModulesOfItsCandidates) {
  LayerChoice op(std::vector<NamedCandidate>{{"five", Scale(5)}, {"seven", Scale(7)}});
  EXPECT_EQ(op->named_parameters().size(), 2);
  EXPECT_TRUE(op->named_parameters().contains("seven.weight"));
}

TEST(LayerChoice, KnowsWhichCandidatesAreAlwaysZero) {
  LayerChoice op(
      std::vector<NamedCandidate>{
          {"skip", [](at::TensorList inputs) { return inputs[0]; }, false},
          {"none", [](at::TensorList inputs) { return inputs[0] * 0; }, true}},
      "op");
  EXPECT_THAT(op->info().zeros, ElementsAre(1));
  EXPECT_TRUE(op->always_zero(1));
  EXPECT_FALSE(op->always_zero(0));
  EXPECT_THAT(op->info().names, ElementsAre("skip", "none"));
}

TEST(LayerChoice, RefusesToRunWithoutAMutatorOrCandidates) {
  LayerChoice op(std::vector<NamedCandidate>{{"five", Scale(5)}}, "cell0/op");
  EXPECT_THAT(error_of([&] { op->forward(at::ones({1})); }),
              HasSubstr("layer choice 'cell0/op' ran without a mutator"));
  EXPECT_THAT(error_of([] { LayerChoice(std::vector<NamedCandidate>{}); }),
              HasSubstr("at least one candidate"));
}

TEST(LayerChoice, CannotBeCloned) {
  LayerChoice op(std::vector<NamedCandidate>{{"five", Scale(5)}}, "cell0/op");
  EXPECT_THAT(error_of([&] { op->clone(); }),
              HasSubstr("layer choice 'cell0/op' cannot be cloned"));
}

}  // namespace
}  // namespace retia
