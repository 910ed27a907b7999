#include "retia/engine/mutables/base_mutator.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/hook.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/engine/mutables/scale.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Manipulates execution: the product of all candidates, and the last input.
class ProductMutator final : public BaseMutator {
 public:
  using BaseMutator::BaseMutator;
  void reset() override {}
  at::Tensor on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs) override {
    at::Tensor product = choice.run_candidate(0, inputs);
    for (int64_t k = 1; k < choice.info().n_candidates(); ++k) {
      product = product * choice.run_candidate(k, inputs);
    }
    return product;
  }
  at::Tensor on_forward_input_choice(InputChoiceImpl&, at::TensorList inputs) override {
    return inputs.back();
  }
};

/// A module with two unlabelled choices in parts of one kind.
class TwoPartsImpl : public torch::nn::Module {
 public:
  TwoPartsImpl()
      : left(register_module("left", Plain(InputChoiceModuleOptions{.n_candidates = 3}))),
        right(register_module("right", Plain(InputChoiceModuleOptions{.n_candidates = 3}))) {}
  Plain left, right;
};
TORCH_MODULE(TwoParts);

TEST(BaseMutator, FindsTheChoicesOfAModuleUnderTheirPaths) {
  TwoParts model;
  const ProductMutator mutator(*model);
  EXPECT_THAT(labels(mutator.mutables()),
              ElementsAre("left/op", "left/pick", "right/op", "right/pick"));
  EXPECT_EQ(mutator.mutables()[2].scope, "right");
  EXPECT_EQ(mutator.mutable_of("right/op").names, model->right->op->info().names);
  EXPECT_THAT(error_of([&] { mutator.mutable_of("right/opp"); }),
              HasSubstr("no choice labelled 'right/opp'; did you mean 'right/op'?"));
}

TEST(BaseMutator, DoesWithExecutionWhatItLikes) {
  Plain model(InputChoiceModuleOptions{.n_candidates = 3});
  ProductMutator mutator(*model);
  EXPECT_EQ(model->forward(at::ones({}, at::kDouble)).item<double>(), 5 * 7 * 11);
  EXPECT_THAT(error_of([&] { model->pick->select(model->inputs(at::ones({}, at::kDouble))); }),
              HasSubstr("override on_select_inputs"));
}

TEST(BaseMutator, KeepsItsParametersApartFromTheModels) {
  Plain model(InputChoiceModuleOptions{.n_candidates = 3});
  const ProductMutator mutator(*model);
  EXPECT_TRUE(mutator.parameters().empty());
  EXPECT_EQ(model->parameters().size(), 5);
}

TEST(BaseMutator, DrivesAModelThatNoOtherDrives) {
  Plain model(InputChoiceModuleOptions{.n_candidates = 3});
  {
    ProductMutator first(*model);
    EXPECT_THAT(error_of([&] { ProductMutator second(*model); }),
                HasSubstr("'op' is driven by another mutator already: destroy that one first"));
    EXPECT_EQ(&model->op->mutator(), &first);
    EXPECT_EQ(model->forward(at::ones({}, at::kDouble)).item<double>(), 385);
  }
  EXPECT_THAT(error_of([&] { model->forward(at::ones({}, at::kDouble)); }),
              HasSubstr("ran without a mutator"));
  AppliedMutator next(*model);
  next.apply({{"op", {{0}}}, {"pick", {{2}}}});
  EXPECT_EQ(model->forward(at::ones({}, at::kDouble)).item<double>(), 5);
}

TEST(BaseMutator, LeavesNoTraceInAModelThatItCouldNotBind) {
  TwoParts model;
  const ProductMutator right(*model->right);
  EXPECT_THAT(error_of([&] { ProductMutator both(*model); }), HasSubstr("driven by another"));
  const ProductMutator left(*model->left);
  EXPECT_THAT(labels(left.mutables()), ElementsAre("op", "pick"));
}

// A counter of the process would label the second one otherwise, and its export fit no model.
TEST(BaseMutator, LabelsEveryModelOfAProcessAlike) {
  TwoParts first, second;
  const ProductMutator of_first(*first), of_second(*second);
  EXPECT_EQ(of_first.mutables(), of_second.mutables());
}

TEST(BaseMutator, LabelsAfreshWhenAModelIsBoundFromAnotherRoot) {
  TwoParts model;
  {
    const ProductMutator left(*model->left);
    const ProductMutator right(*model->right);
    EXPECT_THAT(labels(left.mutables()), ElementsAre("op", "pick"));
  }
  const ProductMutator both(*model);
  EXPECT_THAT(labels(both.mutables()),
              ElementsAre("left/op", "left/pick", "right/op", "right/pick"));
}

TEST(BaseMutator, BindsAModuleThatIsRegisteredTwiceOnce) {
  const auto model = std::make_shared<torch::nn::Module>("model");
  const LayerChoice op(std::vector<NamedCandidate>{{"five", Scale(5)}, {"seven", Scale(7)}});
  model->register_module("a", op.ptr());
  model->register_module("b", op.ptr());
  const ProductMutator mutator(*model);
  EXPECT_THAT(labels(mutator.mutables()), ElementsAre("a"));
}

TEST(BaseMutator, RefusesUnlikeChoicesOfOneLabel) {
  const auto model = std::make_shared<torch::nn::Module>("model");
  model->register_module("a",
                         LayerChoice(std::vector<NamedCandidate>{{"five", Scale(5)}}, "op").ptr());
  model->register_module("b",
                         LayerChoice(std::vector<NamedCandidate>{{"six", Scale(6)}}, "op").ptr());
  EXPECT_THAT(error_of([&] { ProductMutator mutator(*model); }),
              HasSubstr("'op' has candidates [five] in one place and [six] in another"));
}

TEST(BaseMutator, FindsTheMutablesOfASpaceInItsNetwork) {
  const ir::Graph space = every_choice_space();
  Network network(space, 1);
  const ProductMutator mutator(*network);
  const std::vector<Mutable> expected = ir::mutables(space);
  EXPECT_THAT(mutator.mutables(), testing::UnorderedElementsAreArray(expected));
}

}  // namespace
}  // namespace retia
