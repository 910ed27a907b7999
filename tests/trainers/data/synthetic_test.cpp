#include "retia/trainers/data/synthetic.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

namespace retia {
namespace {

TEST(Synthetic, HasTheSizesAskedFor) {
  const DataSplits splits = make_synthetic(
      {.n_train = 30, .n_test = 20, .n_classes = 4, .channels = 3, .height = 5, .width = 7});
  EXPECT_EQ(splits.train.inputs.sizes(), (std::vector<int64_t>{30, 3, 5, 7}));
  EXPECT_EQ(splits.test.inputs.sizes(), (std::vector<int64_t>{20, 3, 5, 7}));
  EXPECT_TRUE(splits.train.targets.equal(at::arange(30).remainder(4)));
  EXPECT_EQ(splits.train.n_classes, 4);
}

TEST(Synthetic, DependsOnTheSeedOnly) {
  const at::Tensor images = make_synthetic({.seed = 1}).train.inputs;
  EXPECT_TRUE(images.equal(make_synthetic({.seed = 1}).train.inputs));
  EXPECT_FALSE(images.equal(make_synthetic({.seed = 2}).train.inputs));
}

TEST(Synthetic, IsSeparableByTheNearestClassMean) {
  const SyntheticOptions options = {.noise = 48, .seed = 3};
  const DataSplits splits = make_synthetic(options);
  const at::Tensor train = splits.train.inputs.flatten(1).to(at::kFloat);
  std::vector<at::Tensor> means;
  for (int64_t label = 0; label < options.n_classes; ++label) {
    const at::Tensor members = splits.train.targets.eq(label).nonzero().flatten();
    means.push_back(train.index_select(0, members).mean(0));
  }
  const at::Tensor test = splits.test.inputs.flatten(1).to(at::kFloat);
  const at::Tensor distance = (test.unsqueeze(1) - at::stack(means)).square().sum(2);
  EXPECT_TRUE(distance.argmin(1).equal(splits.test.targets));
  EXPECT_FALSE(splits.train.inputs[0].equal(splits.train.inputs[options.n_classes]))
      << "images of one class differ by their noise";
}

TEST(Synthetic, RefusesImpossibleOptions) {
  EXPECT_THROW(make_synthetic({.n_test = 0}), c10::Error);
  EXPECT_THROW(make_synthetic({.height = -1}), c10::Error);
  EXPECT_THROW(make_synthetic({.noise = 128}), c10::Error);
}

}  // namespace
}  // namespace retia
