#include "retia/engine/executor/passes/conv_norm.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <string>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/enas_macro.h"
#include "retia/models/nasbench201.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/spos_chain.h"
#include "retia/mutators/random.h"
#include "retia/tests/engine/executor/fused_results.h"

namespace retia::executor {
namespace {

Results on_a_path(const ir::Graph& space, Executor executor, uint64_t seed,
                  Mode mode = Mode::Training) {
  return results_of<RandomMutator>(space, executor, mode, 3, RandomMutatorOptions{.seed = seed});
}

void expect_same_on_paths(const ir::Graph& space, uint64_t n_paths) {
  for (uint64_t seed = 0; seed < n_paths; ++seed) {
    SCOPED_TRACE(seed);
    expect_same(on_a_path(space, Executor::Fused, seed),
                on_a_path(space, Executor::Reference, seed));
  }
}

/// A chain that `write` adds to an image of 4 channels.
template <class Write>
ir::Graph chain(const Write& write) {
  Builder net("chain");
  const Wire image = net.input("image", {4, 6, 7});
  net.output("out", write(net, image));
  return net.finish();
}

/// How many instructions the pass has made of a graph, and how many it has replaced by them.
std::pair<size_t, size_t> fused_in(const ir::Graph& graph) {
  Network network(graph, 1);
  network->set_passes({{"fuse_conv_norm", fuse_conv_norm}});
  std::pair<size_t, size_t> found = {0, 0};
  for (const InstructionPtr& instruction : network->program().instructions) {
    found.first += instruction->replaced().empty() ? 0 : 1;
    found.second += instruction->replaced().size();
  }
  return found;
}

TEST(FuseConvNorm, EqualsTheReferenceOnPathsOfSposAndEnas) {
  expect_same_on_paths(spos_chain({.channels = 8, .layers = 3}, {{3, 9, 8}, 3}), 8);
  expect_same_on_paths(enas_macro({.channels = 6, .layers = 4}, {{3, 8, 9}, 3}), 8);
  expect_same_on_paths(nasbench201({.channels = 4, .cells = 1}, {{3, 4, 4}, 3}), 2);
}

TEST(FuseConvNorm, EqualsTheReferenceInEvaluationAndWithStatisticsKept) {
  const ir::Graph space = spos_chain({.channels = 8, .layers = 3}, {{3, 8, 8}, 3});
  for (const Mode mode : {Mode::Evaluation, Mode::Quiet}) {
    const Results fused = on_a_path(space, Executor::Fused, 1, mode);
    const Results reference = on_a_path(space, Executor::Reference, 1, mode);
    expect_same(fused, reference);
    for (size_t i = 0; i < fused.statistics.size(); ++i) {
      EXPECT_TRUE(at::equal(fused.statistics[i], reference.statistics[i]));
    }
  }
}

TEST(FuseConvNorm, JoinsReluConvolutionsNormalisationAndRelu) {
  const ir::Graph graph = chain([](Builder& net, Wire x) {
    x = net.add("relu1", ops::relu(), {x});
    x = net.add("depthwise", ops::conv2d({.kernel = 5, .stride = 2, .depthwise = true}), {x});
    x = net.add("pointwise", ops::conv2d({.out = 6, .kernel = 1}), {x});
    x = net.add("bn1", ops::batch_norm(), {x});
    x = net.add("relu2", ops::relu(), {x});
    x = net.add("pool", ops::max_pool2d(), {x});
    x = net.add("bn2", ops::batch_norm({.affine = false}), {x});
    return net.add("reduce", ops::factorized_reduce({.out = 5}), {x});
  });
  EXPECT_EQ(fused_in(graph), std::pair(size_t{3}, size_t{13}));
  expect_same_on_paths(graph, 1);
}

TEST(FuseConvNorm, LeavesWhatOthersRead) {
  const ir::Graph graph = chain([](Builder& net, Wire x) {
    const Wire relu = net.add("relu1", ops::relu(), {x});
    const Wire conv = net.add("conv", ops::conv2d({.kernel = 3}), {relu});
    const Wire norm = net.add("bn", ops::batch_norm(), {conv});
    const Wire after = net.add("relu2", ops::relu(), {norm});
    return net.add("sum", ops::add(), {relu, conv, norm, after});
  });
  EXPECT_EQ(fused_in(graph), std::pair(size_t{1}, size_t{1})) << "the normalisation alone";
  expect_same_on_paths(graph, 1);
}

TEST(FuseConvNorm, LeavesConvolutionsOfManyInputs) {
  for (const int64_t kernel : {5, 7}) {
    const ir::Graph graph = chain([&](Builder& net, Wire x) {
      x = net.add("conv", ops::conv2d({.kernel = kernel}), {x});
      return net.add("bn", ops::batch_norm(), {x});
    });
    EXPECT_EQ(fused_in(graph).second, kernel == 5 ? 2u : 1u);
    expect_same_on_paths(graph, 1);
  }
}

TEST(FuseConvNorm, LeavesConvolutionsThatTheOperationLacks) {
  for (const Conv2dOptions& options :
       std::vector<Conv2dOptions>{{.kernel = 3, .bias = true},
                                  {.kernel = 3, .padding = 0},
                                  {.kernel = 3, .groups = 2},
                                  {.kernel = 2, .padding = 1},
                                  {.out = 8, .kernel = 3, .groups = 4}}) {
    const ir::Graph graph = chain([&](Builder& net, Wire x) {
      return net.add("bn", ops::batch_norm(), {net.add("conv", ops::conv2d(options), {x})});
    });
    EXPECT_EQ(fused_in(graph).second, 1u) << "the normalisation alone";
    expect_same_on_paths(graph, 1);
  }
}

}  // namespace
}  // namespace retia::executor
