#include "retia/engine/ir/narrow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A choice of three, one of which holds another choice.
ir::Graph nested() {
  Builder b("nested");
  const Wire x = b.input("x", {2, 4, 4});
  const auto deep = [](Builder& inner, Wire y) {
    return inner.layer_choice("inner", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {y});
  };
  b.output("y", b.layer_choice(
                    "outer", {{"deep", deep}, {"conv", ops::conv2d({})}, {"skip", ops::identity()}},
                    {x}));
  return b.finish();
}

TEST(Narrowed, KeepsTheNamedCandidatesAndAllOfOtherChoices) {
  const ir::Graph graph = ir::narrowed(nested(), {{"outer", {"deep", "skip"}}});
  const std::vector<Mutable> found = ir::mutables(graph);
  ASSERT_EQ(found.size(), 2);
  EXPECT_THAT(found[0].names, ElementsAre("deep", "skip"));
  EXPECT_THAT(found[1].names, ElementsAre("relu", "skip"));
  EXPECT_EQ(ir::narrowed(nested(), {}), nested());
  Network network(graph, 1);  // it runs
  EXPECT_TRUE(network->parameters().empty());
}

TEST(Narrowed, ReachesIntoCells) {
  const std::string inner = ir::mutables(nested())[1].label;
  const ir::Graph graph = ir::narrowed(nested(), {{inner, {"skip"}}});
  EXPECT_THAT(ir::mutables(graph)[1].names, ElementsAre("skip"));
}

TEST(Narrowed, RefusesToLeaveNothing) {
  EXPECT_THAT(error_of([] {
                ir::narrowed(nested(), {{"outer", {"none"}}});
              }),
              HasSubstr("layer choice 'outer' would keep no candidate"));
}

TEST(Translated, FindsCandidatesByName) {
  const std::vector<Mutable> whole = ir::mutables(nested());
  const std::vector<Mutable> part =
      ir::mutables(ir::narrowed(nested(), {{"outer", {"conv", "skip"}}}));
  const Architecture found = translated({{"outer", {{1}}}}, part, whole);
  EXPECT_EQ(found, (Architecture{{"outer", {{2}}}}));
  EXPECT_THAT(error_of([&] {
                translated({{"outer", {{0}}}}, whole, part);
              }),
              HasSubstr("choice 'outer' has no candidate 'deep'"));
}

}  // namespace
}  // namespace retia
