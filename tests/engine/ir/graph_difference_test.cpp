#include "retia/engine/ir/graph_difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/ir/json.h"
#include "retia/tests/engine/example_spaces.h"

namespace retia::ir {
namespace {

using testing::HasSubstr;

/// A graph of one convolution in a cell and a choice.
Graph graph_with(int64_t kernel, const std::string& candidate, const std::string& name = "net") {
  Builder b(name);
  Wire x = b.input("x", {3, 8, 8});
  x = b.cell(
      "cell",
      [&](Builder& c, Wire y) {
        return c.add("conv", ops::conv2d({.out = 4, .kernel = kernel}), {y});
      },
      x);
  b.output("y", b.layer_choice("op", {{candidate, ops::relu()}, {"none", ops::identity()}}, {x}));
  return b.finish();
}

/// The same graph with other ids.
Graph renumbered(const Graph& graph, int64_t by) {
  Json json = to_json(graph);
  const std::function<void(Json&)> shift = [&](Json& value) {
    if (value.is_object() && value.contains("nodes")) {
      for (Json& node : value["nodes"]) {
        node["id"] = node["id"].get<int64_t>() + by;
        if (node.contains("inputs")) {
          for (Json& id : node["inputs"]) {
            id = id.get<int64_t>() + by;
          }
        }
      }
      for (Json& output : value["outputs"]) {
        output["node"] = output["node"].get<int64_t>() + by;
      }
    }
    if (value.is_structured()) {
      for (Json& part : value) {
        shift(part);
      }
    }
  };
  shift(json);
  return graph_from_json(json, operations_with_block());
}

TEST(GraphDifference, IsNoneWhereOnlyIdsOrTheGraphsNameDiffer) {
  const Graph graph = graph_with(3, "relu");
  EXPECT_EQ(first_difference(graph, graph), std::nullopt);
  EXPECT_EQ(first_difference(graph, graph_with(3, "relu", "other")), std::nullopt);
  EXPECT_NE(renumbered(graph, 100), graph);
  EXPECT_EQ(first_difference(graph, renumbered(graph, 100)), std::nullopt);
  EXPECT_EQ(digest(graph), digest(renumbered(graph, 100)));
  EXPECT_EQ(first_difference(every_choice_space(), every_choice_space()), std::nullopt);
}

TEST(GraphDifference, NamesTheFirstNodeAndBothValues) {
  const Graph three = graph_with(3, "relu");
  const std::string kernel = first_difference(three, graph_with(7, "relu")).value();
  EXPECT_THAT(kernel, HasSubstr("node 'cell': "));
  EXPECT_THAT(kernel, HasSubstr("conv.parameters.kernel was 3 and is 7 now"));
  EXPECT_NE(digest(three), digest(graph_with(7, "relu")));
  const std::string candidate = first_difference(three, graph_with(3, "act")).value();
  EXPECT_THAT(candidate, HasSubstr("node 'op': "));
  EXPECT_THAT(candidate, HasSubstr("act was not given"));
}

TEST(GraphDifference, TellsWiringAndNodesApart) {
  const auto chain = [](bool skips, bool is_longer) {
    Builder b("net");
    const Wire x = b.input("x", {4});
    const Wire y = b.add("a", ops::relu(), {x});
    Wire z = b.add("b", ops::relu(), {skips ? x : y});
    b.output("y", z);
    b.output("z", is_longer ? b.add("c", ops::relu(), {y}) : y);
    return b.finish();
  };
  EXPECT_THAT(first_difference(chain(false, false), chain(true, false)).value(),
              HasSubstr("node 'b': inputs.0 was 1 and is 0 now"));
  EXPECT_EQ(first_difference(chain(false, false), chain(false, true)), "node 'c' was added");
  EXPECT_EQ(first_difference(chain(false, true), chain(false, false)), "node 'c' was removed");
}

}  // namespace
}  // namespace retia::ir
