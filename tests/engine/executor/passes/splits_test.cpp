#include "retia/engine/executor/passes/splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/reshape.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/executor/fused_results.h"

namespace retia::executor {
namespace {

/// A graph that concatenates parts of its convolved input; `parts`: where each begins, and its size.
ir::Graph parted(const std::vector<std::pair<int64_t, int64_t>>& parts) {
  Builder b("net");
  const Wire x = b.add("conv", ops::conv2d({.kernel = 1}), {b.input("x", {8, 3, 3})});
  std::vector<Wire> all;
  for (const auto& [begin, size] : parts) {
    const std::string name = "part" + std::to_string(all.size());
    all.push_back(b.add(name, ops::split({.index = begin, .of = 8, .count = size}), {x}));
  }
  b.output("y", b.add("joined", ops::concat(), all));
  return b.finish();
}

size_t n_instructions(const ir::Graph& graph) {
  Network network(graph, 1);
  network->set_passes({{"share_splits", share_splits}});
  return network->program().instructions.size();
}

Results split_results(const ir::Graph& graph, const std::vector<Pass>& passes) {
  return results_of<AppliedMutator>(graph, passes, Mode::Training, 2);
}

TEST(ShareSplits, CutsAValueOnce) {
  for (const auto& parts : std::vector<std::vector<std::pair<int64_t, int64_t>>>{
           {{0, 4}, {4, 4}}, {{4, 4}, {0, 4}}, {{1, 2}, {4, 3}}, {{0, 1}, {1, 1}, {6, 2}}}) {
    EXPECT_EQ(n_instructions(parted(parts)), 3u);
    expect_same(split_results(parted(parts), {{"share_splits", share_splits}}),
                split_results(parted(parts), {}));
  }
}

TEST(ShareSplits, LeavesPartsThatOverlapAndPartsAlone) {
  for (const auto& parts :
       std::vector<std::vector<std::pair<int64_t, int64_t>>>{{{0, 5}, {4, 4}}, {{0, 4}, {0, 4}}}) {
    EXPECT_EQ(n_instructions(parted(parts)), 4u);
    expect_same(split_results(parted(parts), {{"share_splits", share_splits}}),
                split_results(parted(parts), {}));
  }
  EXPECT_EQ(n_instructions(parted({{2, 3}})), 3u);
}

}  // namespace
}  // namespace retia::executor
