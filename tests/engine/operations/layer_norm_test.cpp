#include "retia/engine/operations/layer_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/engine/tensors.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(LayerNorm, MakesTheShapesThatAreCalculated) {
  expect_true_shapes(ops::layer_norm({.affine = ValueChoice<bool>("affine", {false, true})}),
                     {{3, 5, 4}});
  expect_true_shapes(ops::layer_norm(), {{6}});
}

TEST(LayerNorm, NormalisesEachPositionOverItsChannels) {
  // Of 1, 2, 3, 6: mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5.
  const auto layer = layer_of(ops::layer_norm({.epsilon = 0.5}), shapes_of({{4}}));
  layer->to(at::kDouble);
  {
    const at::NoGradGuard no_grad;
    layer->named_parameters()["weight"][3] = 10;
    layer->named_parameters()["bias"][0] = 7;
  }
  const at::Tensor y = layer->forward(at::tensor({1.0, 2.0, 3.0, 6.0}, at::kDouble).view({1, 4}));
  EXPECT_TRUE(at::allclose(y, at::tensor({6.0, -0.5, 0.0, 15.0}, at::kDouble)));

  const at::Tensor x = normal_tensor({2, 3, 4, 5}, 1);
  const at::Tensor mean = x.mean(1, /*keepdim=*/true);
  const at::Tensor variance = (x - mean).square().mean(1, /*keepdim=*/true);
  EXPECT_TRUE(at::allclose(result_of(ops::layer_norm(), {x}), (x - mean) / (variance + 1e-5).sqrt(),
                           1e-10, 1e-10));
}

TEST(LayerNorm, RefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] { inferred(ops::layer_norm({.epsilon = -1}), {{3}}); }),
              HasSubstr("epsilon must be at least 0, got -1"));
  EXPECT_THAT(error_of([] { inferred(ops::layer_norm(), {{3}, {3}}); }), HasSubstr("got 2"));
}

}  // namespace
}  // namespace retia
