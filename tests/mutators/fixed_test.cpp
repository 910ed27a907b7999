#include "retia/mutators/fixed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(FixedMutator, ReplaysOneArchitecture) {
  Network network(every_choice_space(), 1);
  randomise(*network, 2);
  Random random(3);
  const Architecture architecture = random_architecture_of(ir::mutables(network->graph()), random);
  const at::NoGradGuard no_grad;
  network->eval();
  const at::Tensor batch = normal_tensor({2, 3, 7, 5}, 4);
  at::Tensor expected;
  {
    AppliedMutator applied(*network);
    applied.apply(architecture);
    expected = network->forward(batch);
  }
  FixedMutator mutator(*network, architecture);
  EXPECT_TRUE(at::equal(network->forward(batch), expected));
  mutator.reset();
  EXPECT_EQ(mutator.current(), architecture);
  EXPECT_EQ(mutator.export_architecture(), architecture);
}

TEST(FixedMutator, WantsExactlyTheChoicesOfTheModel) {
  Builder b("net");
  const Wire x = b.input("x", {2});
  b.output("y", b.layer_choice("op", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x}));
  Network network(b.finish(), 1);
  const auto error = [&](const Architecture& architecture) {
    return error_of([&] { FixedMutator(*network, architecture); });
  };
  EXPECT_THAT(error({}), HasSubstr("decides nothing for layer choice 'op'"));
  EXPECT_THAT(error({{"op", {{2}}}}), HasSubstr("'op': index 2 is outside"));
  EXPECT_THAT(error({{"op", {{0}}}, {"ops", {{0}}}}), HasSubstr("did you mean 'op'"));
  EXPECT_THAT(error({{"op", {{0, 1}}}}), HasSubstr("'op'"));
  EXPECT_EQ(error({{"op", {{1}}}}), "(no error)");
}

}  // namespace
}  // namespace retia
