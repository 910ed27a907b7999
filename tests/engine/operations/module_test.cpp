#include "retia/engine/operations/module.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/hook.h"
#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {

struct AffineOptions {
  Dim out = 2;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AffineOptions, out)

namespace {

using testing::HasSubstr;

/// A module of the user's that draws its weights as torch modules do, and states no shape.
class Affine : public torch::nn::Module {
 public:
  using Options = AffineOptions;
  Affine(const AffineOptions& options, const std::vector<int64_t>& in)
      : weight_(register_parameter("weight", at::rand({in.at(0), options.out.value()}))),
        offset_(register_buffer("offset", at::rand({options.out.value()}))) {}
  at::Tensor forward(const at::Tensor& x) { return x.matmul(weight_) + offset_; }

 private:
  at::Tensor weight_, offset_;
};

ir::Operation affine(int64_t out) {
  OperationTable table;
  table.add<Affine>("affine");
  return table.make("affine", {{"out", out}});
}

ir::Graph two_affines() {
  Builder b("net");
  const Wire x = b.add("first", affine(3), {b.input("x", {4})});
  b.output("y", b.add("second", affine(2), {x}));
  return b.finish();
}

TEST(ModuleKind, FindsTheShapeByTryingTheModule) {
  EXPECT_EQ(inferred(affine(5), {{4}}), "[5]");
  expect_true_shapes(affine(5), {{4}});
  EXPECT_THAT(error_of([] { inferred(affine(5), {{4}, {4}}); }), HasSubstr("got 2"));
  EXPECT_THAT(error_of([] {
                ir::infer(ir::Body(affine(5)), {{ValueChoice<int64_t>("w", {3, 4})}});
              }),
              HasSubstr("w{3,4} is not decided"));
}

TEST(ModuleKind, TakesTheShapeThatTheModuleStates) {
  EXPECT_EQ(ir::to_string(ir::infer(ir::Body(hook()), {{ValueChoice<int64_t>("w", {3, 4})}})),
            "[w{3,4}]");
}

TEST(ModuleKind, RunsTheModuleWithItsParametersUnderTheNode) {
  Network network(two_affines(), 1);
  const auto parameters = network->named_parameters();
  EXPECT_TRUE(parameters.contains("first.module.weight"));
  const at::Tensor x = at::ones({2, 4});
  const auto buffers = network->named_buffers();
  const at::Tensor hidden =
      x.matmul(parameters["first.module.weight"]) + buffers["first.module.offset"];
  EXPECT_TRUE(at::equal(network->forward(x), hidden.matmul(parameters["second.module.weight"]) +
                                                 buffers["second.module.offset"]));
}

TEST(ModuleKind, DrawsWeightsBySeedAndPathAndLeavesTheGlobalGeneratorAlone) {
  at::Generator global = at::globalContext().defaultGenerator(at::kCPU);
  global.set_current_seed(3);
  Network one(two_affines(), 1);
  const at::Tensor after = at::rand({4});
  global.set_current_seed(99);
  Network same(two_affines(), 1);
  Network other(two_affines(), 2);
  for (const std::string name : {"first.module.weight", "second.module.weight"}) {
    EXPECT_TRUE(at::equal(one->named_parameters()[name], same->named_parameters()[name])) << name;
    EXPECT_FALSE(at::equal(one->named_parameters()[name], other->named_parameters()[name])) << name;
  }
  EXPECT_TRUE(at::equal(one->named_buffers()["first.module.offset"],
                        same->named_buffers()["first.module.offset"]));
  EXPECT_FALSE(at::equal(one->named_parameters()["first.module.weight"].flatten().slice(0, 0, 6),
                         one->named_parameters()["second.module.weight"].flatten()));
  global.set_current_seed(3);
  EXPECT_TRUE(at::equal(at::rand({4}), after));
}

}  // namespace
}  // namespace retia
