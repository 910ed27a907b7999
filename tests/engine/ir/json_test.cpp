#include "retia/engine/ir/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::HasSubstr;

Graph reread(const Graph& graph) {
  return graph_from_json(Json::parse(to_json(graph).dump()), operations_with_block());
}

/// A small graph as JSON, to be damaged.
Json small() {
  Builder b("small");
  const Wire x = b.input("x", {3, 4, 4});
  const Wire y = b.add("conv", ops::conv2d({.out = 2}), {x});
  b.output("y", b.input_choice("pick", {b.add("relu", ops::relu(), {y}), y}));
  return to_json(b.finish());
}

std::string error_of_reading(const Json& json) {
  return error_of([&] { graph_from_json(json, operations_with_block()); });
}

TEST(GraphJson, ReadsBackEqual) {
  const Graph space = every_choice_space();
  EXPECT_EQ(reread(space), space);
  EXPECT_EQ(to_json(reread(space)), to_json(space));
}

TEST(GraphJson, ReadsPlaceholdersAndValueChoicesBackEqual) {
  Builder b("net");
  Wire x = b.input("x", {3, 6, 6});
  const Expression width = ValueChoice<int64_t>("width", {4, 6});
  x = b.add("stem", block({.out = Dim(width) * 2}), {x});
  x = b.cell(
      "cell", [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); }, x);
  x = b.layer_choice("op", {{"a", ops::conv2d({.out = width})}, {"b", ops::identity()}}, {x});
  x = b.placeholder("late", {.label = "m", .parameters = {{"sizes", {1, 2}}}, .shape = {width, 3}},
                    {x});
  b.output("y", x);
  const Graph space = b.finish();
  EXPECT_EQ(reread(space), space);
}

TEST(GraphJson, CarriesFormatAndVersion) {
  EXPECT_EQ(small().at("format"), "retia.graph");
  EXPECT_EQ(small().at("version"), 1);
  Json json = small();
  json["format"] = "retia.architecture";
  EXPECT_THAT(error_of_reading(json), HasSubstr("expected a graph"));
  EXPECT_THAT(error_of_reading(Json::array()), HasSubstr("expected a graph"));
  json = small();
  json["version"] = 2;
  EXPECT_THAT(error_of_reading(json), HasSubstr("expected a graph of version 1, found 2"));
  json.erase("version");
  EXPECT_THAT(error_of_reading(json), HasSubstr("found null"));
}

TEST(GraphJson, NamesTheNearestOperation) {
  Json json = small();
  json["nodes"][1]["type"] = "conv2";
  EXPECT_THAT(error_of_reading(json),
              testing::AllOf(HasSubstr("node 'conv'"), HasSubstr("unknown operation 'conv2'"),
                             HasSubstr("did you mean 'conv2d'")));
  json = small();
  json["nodes"][1]["parameters"]["strid"] = 2;
  EXPECT_THAT(error_of_reading(json), HasSubstr("did you mean 'stride'"));
}

TEST(GraphJson, RefusesAnythingMalformedInOneLine) {
  const auto damaged = [](const char* pointer, const Json& value) {
    Json json = small();
    json[Json::json_pointer(pointer)] = value;
    return error_of_reading(json);
  };
  EXPECT_THAT(damaged("/nodes/1/inputs/0", 9), HasSubstr("no node with id 9"));
  EXPECT_THAT(damaged("/nodes/1/inputs/0", "x"), HasSubstr("malformed graph"));
  EXPECT_THAT(damaged("/nodes/1/id", 4), HasSubstr("no node with id 1"));
  EXPECT_THAT(damaged("/nodes/1/id", 0), HasSubstr("two nodes with id 0"));
  EXPECT_THAT(damaged("/nodes/1/id", -1), HasSubstr("-1 is no id of a node"));
  EXPECT_THAT(damaged("/nodes/1/id", std::numeric_limits<int64_t>::max()),
              HasSubstr("is no id of a node"));
  EXPECT_THAT(damaged("/nodes/1/name", "x"), HasSubstr("two nodes named 'x'"));
  EXPECT_THAT(damaged("/nodes/1/name", 3), HasSubstr("malformed graph"));
  EXPECT_THAT(damaged("/nodes/0/input/shape/1", "tall"), HasSubstr("expected an integer"));
  EXPECT_THAT(damaged("/nodes/0/input/shape", Json::array({3})), HasSubstr("node 'conv'"));
  EXPECT_THAT(damaged("/nodes/3/input_choice/reduction", "product"),
              HasSubstr("unknown reduction \"product\""));
  EXPECT_THAT(damaged("/nodes/3/input_choice/n_chosen", 3), HasSubstr("n_chosen 3 is outside"));
  EXPECT_THAT(damaged("/nodes/3/input_choice/names", {"relu", "relu"}),
              HasSubstr("two candidates are named 'relu'"));
  EXPECT_THAT(damaged("/nodes/3/input_choice/label", ""), HasSubstr("empty label"));
  EXPECT_THAT(damaged("/outputs/0/node", 7), HasSubstr("no node with id 7"));
  EXPECT_THAT(damaged("/outputs", Json::array()), HasSubstr("has no output"));
  EXPECT_THAT(damaged("/nodes", 5), HasSubstr("malformed graph"));
  for (const char* text :
       {R"({"format": "retia.graph", "version": 1})",
        R"({"format": "retia.graph", "version": 1, "name": "n", "nodes": [{}]})"}) {
    EXPECT_THAT(error_of_reading(Json::parse(text)), HasSubstr("malformed graph")) << text;
  }
}

TEST(GraphJson, RefusesNodesJoinedWithThemselvesWithoutEnd) {
  Builder b("joined");
  Wire x = b.add("conv", ops::conv2d({.out = ValueChoice<int64_t>("width", {2, 4})}),
                 {b.input("x", {3, 4, 4})});
  b.output("y", b.add("join0", ops::concat(), {x, x}));
  Json json = to_json(b.finish());
  for (int i = 1; i < 60; ++i) {
    Json join = json["nodes"][2];
    join["id"] = 2 + i;
    join["name"] = "join" + std::to_string(i);
    join["inputs"] = {1 + i, 1 + i};
    json["nodes"].push_back(join);
  }
  json["outputs"][0]["node"] = 61;
  EXPECT_THAT(error_of_reading(json),
              HasSubstr("node 'join12': concat: the formula '++' would have "
                        "32767 terms, more than the 16384"));
}

TEST(GraphJson, RefusesUnlikeChoicesOfOneLabel) {
  Builder b("net");
  Wire x = b.input("x", {3});
  x = b.layer_choice("a", {{"p", ops::relu()}, {"q", ops::identity()}}, {x});
  x = b.layer_choice("b", {{"p", ops::relu()}, {"r", ops::identity()}}, {x});
  b.output("y", x);
  Json json = to_json(b.finish());
  json["nodes"][2]["layer_choice"]["label"] = "a";
  EXPECT_THAT(error_of_reading(json), HasSubstr("one label is one decision"));
}

TEST(GraphJson, LooksAsItIsDocumented) {
  Builder b("tiny");
  const Wire x = b.input("x", {4});
  const Wire y = b.layer_choice("op", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x});
  b.output("logits", b.add("fc", ops::linear({.out = ValueChoice<int64_t>("w", {2, 3})}), {y}));
  EXPECT_EQ(to_json(b.finish()), Json::parse(R"({
    "format": "retia.graph", "version": 1, "name": "tiny",
    "nodes": [
      {"id": 0, "name": "x", "input": {"shape": [4]}},
      {"id": 1, "name": "op", "inputs": [0], "layer_choice": {"label": "op", "candidates": [
        {"name": "relu", "type": "relu", "parameters": {}},
        {"name": "skip", "type": "identity", "parameters": {}}]}},
      {"id": 2, "name": "fc", "inputs": [1], "type": "linear",
       "parameters": {"out": {"choice": "w", "options": [2, 3]}, "bias": true}}],
    "outputs": [{"name": "logits", "node": 2}]})"));
}

}  // namespace
}  // namespace retia::ir
