#include <gtest/gtest.h>
#include <retia/kernels.h>
#include <retia/ops.h>
#include <retia/program.h>
#include <retia/retia.h>

#include <type_traits>

// What a user's file looks like: names of one's own beside all that Retia makes public.
using namespace retia;

struct NoOptions {
  int64_t width = 4;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NoOptions, width)

Graph space(const NoOptions& options, const Task& task) {
  Builder net("own");
  const Wire row = net.input("row", {task.input.begin(), task.input.end()});
  const Wire hidden = net.add("hidden", ops::linear({.out = options.width}), {row});
  net.output("logits", net.add("head", ops::linear({.out = task.n_outputs}), {hidden}));
  return net.finish();
}

int search(const Program&, const Config&) { return 1; }
int retrain(const Program&, const Config&) { return 2; }
int evaluate(const Program&, const Config&) { return 3; }
int explore(const Program&, const Config&) { return 4; }
int profile(const Program&, const Config&) { return 5; }
int rank(const Program&, const Config&) { return 6; }
int show(const Program&, const Config&) { return 7; }
int top(const Program&, const Config&) { return 8; }
int trial(const Program&, const Config&) { return 9; }
int report(const Program&, const Config&) { return 10; }
int space(const Program&, const Config&) { return 11; }
double evaluate(const Network&, const Batches&) { return 0; }

TEST(PublicNames, LeaveThoseOfCommandsToUsers) {
  const Program program;
  const Config config;
  int sum = 0;
  for (const auto run : {search, retrain, explore, profile, rank, show, top, trial, report}) {
    sum += run(program, config);
  }
  EXPECT_EQ(sum + evaluate(program, config) + space(program, config), 66);
}

TEST(PublicNames, LeaveNoOptionsToUsers) {
  Program program;
  program.spaces.add("own", static_cast<Graph (*)(const NoOptions&, const Task&)>(&space));
  const Space made = program.spaces.search("own", {{"width", 2}}, {.input = {3}, .n_outputs = 2});
  EXPECT_TRUE(made.mutables().empty());
}

TEST(PublicNames, OfGraphsAreInOneNamespace) {
  static_assert(std::is_same_v<Graph, ir::Graph> && std::is_same_v<Space, ir::Space>);
  static_assert(std::is_same_v<Builder, ir::Builder> && std::is_same_v<Wire, ir::Wire>);
  static_assert(std::is_same_v<NodeId, ir::NodeId> && std::is_same_v<Sampler, ir::Sampler>);
  static_assert(std::is_base_of_v<GraphMutator, ir::InlineMutator>);
}
