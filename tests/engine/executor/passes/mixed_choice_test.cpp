#include "retia/engine/executor/passes/mixed_choice.h"

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/executor/network.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/pool_bn.h"
#include "retia/models/ops/sep_conv.h"

namespace retia::executor {
namespace {

using testing::IsEmpty;

/// A network of one layer choice of an image of 4 channels, with the choice as passes see it.
struct OneChoice {
  explicit OneChoice(std::vector<ir::CandidateWriter> candidates)
      : network(graph(std::move(candidates)), 1) {
    network->set_executor(Executor::Reference);
    const Program& program = network->program();
    found = mixed_choice(program, program.instructions.back());
  }

  static ir::Graph graph(std::vector<ir::CandidateWriter> candidates) {
    Builder b("net");
    b.output("y", b.layer_choice("op", std::move(candidates), {b.input("x", {4, 6, 6})}));
    return b.finish();
  }

  Network network;
  std::shared_ptr<const MixedChoice> found;
};

OneChoice three_of_four() {
  return OneChoice({{"sep", ops::sep_conv({.kernel = 3, .affine = false})},
                    {"plain", ops::conv2d({.kernel = 3})},
                    {"skip", ops::identity()},
                    {"pool", ops::pool_bn({.pooling = Pooling::Max, .affine = false})},
                    {"none", ops::zero()}});
}

Verdict blend_of(std::vector<int64_t> chosen) {
  const auto n = static_cast<int64_t>(chosen.size());
  return {.chosen = std::move(chosen), .weights = at::ones({n})};
}

TEST(MixedChoice, KnowsTheCandidatesThatTheOperationHas) {
  const OneChoice one = three_of_four();
  ASSERT_TRUE(one.found);
  EXPECT_EQ(one.found->stride, 1);
  EXPECT_EQ(one.found->x(), one.network->program().inputs.front());
  const auto reason = [&](int64_t index) { return one.found->candidate(index).reason; };
  for (const int64_t known : {0, 2, 3}) {
    EXPECT_THAT(reason(known), IsEmpty());
  }
  EXPECT_EQ(reason(1), "mixed_op has no such branch");
  EXPECT_EQ(reason(4), "zero: left out");
}

TEST(MixedChoice, IsNoneWithFewerThanTwoKnownCandidates) {
  EXPECT_FALSE(OneChoice({{"sep", ops::sep_conv({.kernel = 3, .affine = false})},
                          {"plain", ops::conv2d({.kernel = 3})}})
                   .found);
  const OneChoice one = three_of_four();
  EXPECT_FALSE(mixed_choice(one.network->program(),
                            one.found->instruction->branches()[1].program.instructions.front()))
      << "no layer choice";
}

TEST(MixedChoice, GainsWhereTwoKnownCandidatesAreWeighed) {
  const OneChoice one = three_of_four();
  EXPECT_TRUE(one.found->gains(blend_of({0, 1, 3})));
  EXPECT_FALSE(one.found->gains(blend_of({0, 1, 4}))) << "one is known";
  EXPECT_FALSE(one.found->gains({.chosen = {0, 3}})) << "no weights";
}

TEST(MixedChoice, HasACommonNormWhereAllChosenNormaliseAlike) {
  const OneChoice one = three_of_four();
  EXPECT_EQ(one.found->common_norm(blend_of({0, 3})), &one.found->candidate(0).norms.front());
  EXPECT_EQ(one.found->common_norm(blend_of({1, 3})), &one.found->candidate(3).norms.front());
  EXPECT_EQ(one.found->common_norm(blend_of({2})), nullptr) << "the identity does not normalise";
}

TEST(MixedChoice, HasNoCommonNormWhereEpsilonsOrModesDiffer) {
  const auto pool = [](Builder& b, Wire x) {
    return b.add("bn", ops::batch_norm({.affine = false, .epsilon = 0.1}),
                 {b.add("pool", ops::max_pool2d({.kernel = 3, .padding = 1}), {x})});
  };
  const auto sep = ops::sep_conv({.kernel = 3, .affine = false});
  const OneChoice differ({{"sep", sep}, {"pool", pool}});
  ASSERT_TRUE(differ.found);
  EXPECT_EQ(differ.found->common_norm(blend_of({0, 1})), nullptr);
  EXPECT_NE(differ.found->common_norm(blend_of({1})), nullptr);
  const OneChoice one({{"sep", sep}, {"dil", ops::dil_conv({.kernel = 3, .affine = false})}});
  EXPECT_NE(one.found->common_norm(blend_of({0, 1})), nullptr);
  one.found->candidate(1).norms.front().layer->eval();
  EXPECT_EQ(one.found->common_norm(blend_of({0, 1})), nullptr);
}

}  // namespace
}  // namespace retia::executor
