#include "retia/engine/operations/shared_axes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <torch/nn/pimpl.h>

#include "retia/engine/symbolic/channels.h"
#include "retia/tests/engine/applied_mutator.h"
#include "retia/tests/engine/blend_mutator.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Dim kWidth = ValueChoice<int64_t>("width", {2, 4});
const Dim kKernel = ValueChoice<int64_t>("kernel", {1, 3, 5});

TEST(SharedAxis, KeepsTheFirstChannelsAndTheMiddleOfAKernel) {
  EXPECT_THAT(SharedAxis::channels(kWidth).kept({{"width", {{0}}}}), ElementsAre(Span{0, 2}));
  EXPECT_THAT(SharedAxis::channels(kWidth * 2).kept({{"width", {{1}}}}), ElementsAre(Span{0, 8}));
  EXPECT_THAT(SharedAxis::kernel(kKernel).kept({{"kernel", {{0}}}}), ElementsAre(Span{2, 3}));
  EXPECT_THAT(SharedAxis::kernel(kKernel).kept({{"kernel", {{1}}}}), ElementsAre(Span{1, 4}));
  EXPECT_THAT(SharedAxis::whole(3).kept({}), ElementsAre(Span{0, 3}));
  // (4 - 3) // 2 = 0 and (5 - 2) // 2 = 1.
  const Dim odd = ValueChoice<int64_t>("k", {2, 3, 4, 5});
  EXPECT_THAT(SharedAxis::kernel(odd).kept({{"k", {{0}}}}), ElementsAre(Span{1, 3}));
  EXPECT_THAT(SharedAxis::kernel(odd).kept({{"k", {{2}}}}), ElementsAre(Span{0, 4}));
}

TEST(SharedAxis, KeepsTheFirstOfEachPartOfJoinedChannels) {
  const SharedAxis axis = SharedAxis::channels(ir::joined(ir::joined(kWidth, 3), kWidth + 1));
  EXPECT_EQ(axis.largest(), 4 + 3 + 5);
  EXPECT_THAT(axis.kept({{"width", {{0}}}}), ElementsAre(Span{0, 2}, Span{4, 7}, Span{7, 10}));
  EXPECT_THAT(axis.labels(), ElementsAre("width"));
}

/// A model of no more than these choices.
class ChoicesImpl : public torch::nn::Module {
 public:
  ChoicesImpl() {
    for (const auto& [label, names] : std::map<std::string, std::vector<std::string>>{
             {"kernel", {"1", "3", "5"}}, {"width", {"2", "4"}}}) {
      all[label] = register_module(label, std::make_shared<ValueChoiceModule>(label, names));
    }
  }
  ValueChoices all;
};
TORCH_MODULE(Choices);

TEST(SharedAxes, CutsTheTensorOfTheFrozenLayerWhereOneOptionIsChosen) {
  const Choices choices;
  AppliedMutator mutator(*choices);
  SharedAxes axes({SharedAxis::channels(kWidth), SharedAxis::kernel(kKernel)});
  axes.follow(choices->all);
  const at::Tensor stored = at::arange(20, at::kDouble).view({4, 5});
  mutator.apply({{"width", {{0}}}, {"kernel", {{1}}}});
  const at::Tensor expected = at::tensor({1.0, 2.0, 3.0, 6.0, 7.0, 8.0}, at::kDouble).view({2, 3});
  EXPECT_TRUE(at::equal(axes.part(stored), expected));
  EXPECT_TRUE(at::equal(axes.at(stored, mutator.current()), expected));
  EXPECT_THAT(axes.sizes(), ElementsAre(2, 3));
  EXPECT_FALSE(axes.mask(stored.options()).defined());
  mutator.apply({{"width", {{1}}}, {"kernel", {{2}}}});
  EXPECT_TRUE(axes.part(stored).is_same(stored)) << "nothing to cut, nothing to do";
}

TEST(SharedAxes, WeighsTheMasksOfTheOptionsThatAreBlended) {
  const Choices choices;
  BlendMutator mutator(*choices);
  mutator.weigh("width", at::tensor({0.25, 0.75}, at::kDouble));
  mutator.weigh("kernel", at::tensor({0.5, 0.3, 0.2}, at::kDouble));
  SharedAxes axes({SharedAxis::channels(kWidth), SharedAxis::kernel(kKernel)});
  axes.follow(choices->all);
  const at::Tensor rows = at::tensor({1.0, 1.0, 0.75, 0.75}, at::kDouble);
  const at::Tensor columns = at::tensor({0.2, 0.5, 1.0, 0.5, 0.2}, at::kDouble);
  const at::Tensor mask = axes.mask(at::kDouble);
  EXPECT_LT((mask - rows.unsqueeze(1) * columns).abs().max().item<double>(), 1e-15);
  // One label in both axes is one decision: 0.25 of 2 x 2 and 0.75 of 4 x 4.
  SharedAxes square({SharedAxis::channels(kWidth), SharedAxis::channels(kWidth)});
  square.follow(choices->all);
  const at::Tensor both = square.mask(at::kDouble);
  EXPECT_DOUBLE_EQ(both[1][1].item<double>(), 1);
  EXPECT_DOUBLE_EQ(both[1][2].item<double>(), 0.75);
  EXPECT_DOUBLE_EQ(both[3][3].item<double>(), 0.75);
}

TEST(SharedAxes, IsAsLargeAsTheLargestOfSomeOptionsAndScaledWhereOneIsWeighed) {
  const Choices choices;
  BlendMutator mutator(*choices);
  SharedAxes axes({SharedAxis::kernel(kKernel)});
  axes.follow(choices->all);
  mutator.apply({{"width", {{0}}}, {"kernel", {{0, 1}}}});
  mutator.weigh("kernel", at::tensor({0.0, 1.0}, at::kDouble));
  EXPECT_THAT(axes.sizes(), ElementsAre(3));
  EXPECT_TRUE(at::equal(axes.mask(at::kDouble), at::tensor({1.0, 1.0, 1.0}, at::kDouble)));
  mutator.apply({{"width", {{0}}}, {"kernel", {{0}}}});
  mutator.weigh("kernel", at::tensor({0.5}, at::kDouble));
  EXPECT_THAT(axes.sizes(), ElementsAre(1));
  EXPECT_EQ(axes.mask(at::kDouble).item<double>(), 0.5);
}

/// Tells no verdict.
class SilentMutator final : public BaseMutator {
 public:
  using BaseMutator::BaseMutator;
  void reset() override {}
  at::Tensor on_forward_layer_choice(LayerChoiceImpl&, at::TensorList) override { return {}; }
  at::Tensor on_forward_input_choice(InputChoiceImpl&, at::TensorList) override { return {}; }
};

TEST(SharedAxes, AsksForAMutatorThatTellsWhatItHasChosen) {
  const Choices choices;
  SharedAxes axes({SharedAxis::channels(kWidth)});
  axes.follow(choices->all);
  EXPECT_THAT(error_of([&] { axes.sizes(); }), HasSubstr("ran without a mutator"));
  const SilentMutator silent(*choices);
  EXPECT_THAT(error_of([&] { axes.sizes(); }), HasSubstr("'width' needs a mutator that tells"));
}

}  // namespace
}  // namespace retia
