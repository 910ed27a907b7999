#include "retia/engine/mutables/mutator.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/mutables/scale.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Blends by weights that the test sets; counts how often it is asked.
class WeightedMutator final : public Mutator {
 public:
  using Mutator::Mutator;
  Architecture sample_search() override {
    ++n_sampled;
    return search;
  }
  Architecture sample_final() const override { return final_one; }
  at::Tensor weights(const Mutable& choice) const override {
    ++n_asked[choice.label];
    const auto found = given.find(choice.label);
    return found == given.end() ? at::Tensor() : found->second;
  }

  Architecture search, final_one;
  std::map<std::string, at::Tensor> given;
  mutable std::map<std::string, int64_t> n_asked;
  int64_t n_sampled = 0;
};

at::Tensor one() { return at::ones({}, at::kDouble); }
at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

class MutatorOnPlain : public testing::Test {
 protected:
  Plain model_{InputChoiceModuleOptions{.n_candidates = 3, .n_chosen = 2}};
  WeightedMutator mutator_{*model_};
};

TEST_F(MutatorOnPlain, SelectsWhereItGivesNoWeights) {
  mutator_.apply({{"op", {{1}}}, {"pick", {{0, 2}}}});
  EXPECT_EQ(model_->forward(one()).item<double>(), 2 + 7);
  mutator_.apply({{"op", {{0, 2}}}, {"pick", {{0, 1, 2}}}});
  EXPECT_EQ(model_->forward(one()).item<double>(), 2 + 3 + 5 + 11);
}

TEST_F(MutatorOnPlain, BlendsWhatIsChosenByItsWeights) {
  mutator_.given["op"] = doubles({0.5, 0.25});
  mutator_.given["pick"] = doubles({10, 100});
  mutator_.apply({{"op", {{0, 2}}}, {"pick", {{1, 2}}}});
  EXPECT_EQ(model_->forward(one()).item<double>(), 10 * 3 + 100 * (0.5 * 5 + 0.25 * 11));
  const std::vector<at::Tensor> selected = model_->pick->select(model_->inputs(one()));
  EXPECT_EQ(selected[0].item<double>(), 30);
}

TEST_F(MutatorOnPlain, LetsGradientsReachWeightsAndCandidates) {
  const at::Tensor weights = doubles({0.5, 0.25, 0.125}).requires_grad_(true);
  mutator_.given["op"] = weights;
  mutator_.apply({{"op", {{0, 1, 2}}}, {"pick", {{1, 2}}}});
  model_->forward(2 * one()).backward();
  EXPECT_TRUE(at::equal(weights.grad(), doubles({10, 14, 22})));
  EXPECT_EQ(model_->named_parameters()["op.seven.weight"].grad().item<double>(), 0.5);
}

TEST_F(MutatorOnPlain, RefusesWeightsOfAnotherNumber) {
  mutator_.given["op"] = doubles({1, 1});
  mutator_.apply({{"op", {{0, 1, 2}}}, {"pick", {{1, 2}}}});
  EXPECT_THAT(error_of([&] { model_->forward(one()); }),
              HasSubstr("weights of 'op': expected [3], one per chosen candidate, got [2]"));
}

TEST_F(MutatorOnPlain, DecidesAtResetAndHoldsUntilTheNext) {
  mutator_.search = {{"op", {{1}}}, {"pick", {{0, 1}}}};
  EXPECT_THAT(error_of([&] { model_->forward(one()); }),
              HasSubstr("the mutator has decided nothing yet: call reset()"));
  EXPECT_THAT(error_of([&] { mutator_.current(); }), HasSubstr("decided nothing yet"));
  mutator_.reset();
  model_->forward(one());
  model_->forward(one());
  EXPECT_EQ(mutator_.n_sampled, 1);
  EXPECT_EQ(mutator_.current(), mutator_.search);
  EXPECT_EQ(mutator_.verdict(mutator_.mutable_of("pick"))->chosen, (std::vector<int64_t>{0, 1}));
}

TEST_F(MutatorOnPlain, RefusesDecisionsThatDoNotFitAndKeepsTheOldOnes) {
  const Architecture good = {{"op", {{1}}}, {"pick", {{0, 1}}}};
  mutator_.apply(good);
  EXPECT_THAT(error_of([&] {
                mutator_.apply({{"op", {{1}}}});
              }),
              HasSubstr("decides nothing for input choice 'pick'"));
  EXPECT_THAT(error_of([&] {
                mutator_.apply({{"op", {{3}}}, {"pick", {{0, 1}}}});
              }),
              HasSubstr("'op': index 3"));
  EXPECT_THAT(error_of([&] {
                mutator_.apply({{"op", {{1}}}, {"pick", {{0}}}});
              }),
              HasSubstr("'pick': expected at least 2"));
  EXPECT_THAT(error_of([&] {
                mutator_.apply({{"op", {{1}}}, {"pick", {{0, 1}}}, {"pik", {{0}}}});
              }),
              HasSubstr("did you mean 'pick'"));
  EXPECT_EQ(mutator_.current(), good);
}

TEST_F(MutatorOnPlain, ChecksWhatItExportsAndChangesNothing) {
  mutator_.apply({{"op", {{1}}}, {"pick", {{0, 1}}}});
  mutator_.final_one = {{"op", {{2}}}, {"pick", {{1, 2}}}};
  EXPECT_EQ(mutator_.export_architecture(), mutator_.final_one);
  EXPECT_EQ(mutator_.current(), (Architecture{{"op", {{1}}}, {"pick", {{0, 1}}}}));
  EXPECT_EQ(mutator_.n_sampled, 0);
  mutator_.final_one = {{"op", {{2}}}, {"pick", {{0, 1, 2}}}};
  EXPECT_THAT(error_of([&] { mutator_.export_architecture(); }),
              HasSubstr("'pick': expected 2 of 3 candidates, got 3"));
  mutator_.final_one = {{"op", {{2}}}, {"pick", {{1, 2}}}, {"surplus", {{0}}}};
  EXPECT_THAT(error_of([&] { mutator_.export_architecture(); }), HasSubstr("'surplus'"));
  mutator_.final_one = {{"op", {{2}}}};
  EXPECT_THAT(error_of([&] { mutator_.export_architecture(); }), HasSubstr("'pick'"));
}

TEST(Mutator, LeavesZerosOutOfABlend) {
  int64_t n_zeros_made = 0;
  LayerChoice op(std::vector<NamedCandidate>{{"none",
                                              [&](at::TensorList inputs) {
                                                ++n_zeros_made;
                                                return inputs[0] * 0;
                                              },
                                              true},
                                             {"five", Scale(5)},
                                             {"void",
                                              [&](at::TensorList inputs) {
                                                ++n_zeros_made;
                                                return inputs[0] * 0;
                                              },
                                              true}},
                 "op");
  WeightedMutator mutator(*op);
  mutator.given["op"] = doubles({0.25, 0.5, 0.25});
  mutator.apply({{"op", {{0, 1, 2}}}});
  EXPECT_EQ(op->forward(one()).item<double>(), 2.5);
  EXPECT_EQ(n_zeros_made, 0);
  mutator.given["op"] = doubles({0.5, 0.5});
  mutator.apply({{"op", {{0, 2}}}});
  EXPECT_EQ(op->forward(one()).item<double>(), 0);
  EXPECT_EQ(n_zeros_made, 1);
  mutator.given.clear();
  mutator.apply({{"op", {{0}}}});
  EXPECT_EQ(op->forward(one()).item<double>(), 0);
}

TEST(Mutator, AsksForWeightsOncePerPassAndLabel) {
  Builder b("net");
  Wire x = b.input("x", {1});
  for (const std::string name : {"a", "b", "c"}) {
    const auto scope = b.scope(name);
    x = b.layer_choice("op", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x},
                       {.label = "shared"});
  }
  b.output("y", x);
  Network network(b.finish(), 1);
  WeightedMutator mutator(*network);
  mutator.given["shared"] = doubles({0.5, 1.5});
  mutator.apply({{"shared", {{0, 1}}}});
  const at::Tensor x_one = at::ones({1, 1}, at::kDouble);
  EXPECT_EQ(network->forward(x_one).item<double>(), 8);
  EXPECT_EQ(mutator.n_asked["shared"], 1);
  mutator.given["shared"] = doubles({1, 2});
  EXPECT_EQ(network->forward(x_one).item<double>(), 27);
  EXPECT_EQ(mutator.n_asked["shared"], 2);
}

TEST(Mutator, AsksAnewAfterAPassThatFailed) {
  Builder b("net");
  const Wire x = b.input("x", {1});
  b.output("y", b.layer_choice("op", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x}));
  Network network(b.finish(), 1);
  WeightedMutator mutator(*network);
  mutator.apply({{"op", {{0, 1}}}});
  mutator.given["op"] = doubles({1});
  const at::Tensor x_one = at::ones({1, 1}, at::kDouble);
  EXPECT_THAT(error_of([&] { network->forward(x_one); }), HasSubstr("expected [2]"));
  mutator.given["op"] = doubles({1, 2});
  EXPECT_EQ(network->forward(x_one).item<double>(), 3);
}

TEST(Mutator, RefusesToConcatenateABlendOfMoreThanAreChosen) {
  InputChoice pick(InputChoiceModuleOptions{
      .n_candidates = 3, .n_chosen = 2, .reduction = Reduction::Concat, .label = "pick"});
  WeightedMutator mutator(*pick);
  mutator.apply({{"pick", {{0, 1, 2}}}});
  const at::Tensor x = at::ones({1, 1});
  EXPECT_THAT(error_of([&] {
                pick->forward({x, x, x});
              }),
              HasSubstr("'pick' concatenates 2 inputs, but its mutator blends 3"));
}

}  // namespace
}  // namespace retia
