#include "retia/engine/ir/json.h"

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/operations/table.h"

namespace retia::ir {
namespace {

constexpr int kVersion = 1;

Json graph_to_json(const Graph& graph);

Json ids(const std::vector<Wire>& wires) {
  Json json = Json::array();
  for (const Wire wire : wires) {
    json.push_back(wire.node);
  }
  return json;
}

Json written(const Input& input) { return {{"input", {{"shape", input.shape}}}}; }

Json written(const Operation& operation) {
  return {{"type", operation.type()}, {"parameters", operation.parameters()}};
}

Json written(const Cell& cell) { return {{"cell", graph_to_json(cell.graph())}}; }

Json written(const LayerChoice& choice) {
  Json candidates = Json::array();
  for (const Candidate& candidate : choice.candidates) {
    Json json = match(
        candidate.body, [](const Operation& operation) { return written(operation); },
        [](const Cell& cell) { return written(cell); });
    json["name"] = candidate.name;
    candidates.push_back(json);
  }
  return {{"layer_choice", {{"label", choice.label}, {"candidates", candidates}}}};
}

Json written(const InputChoice& choice) {
  Json json = {{"label", choice.label},
               {"names", choice.names},
               {"reduction", choice.reduction},
               {"n_chosen", choice.n_chosen ? Json(*choice.n_chosen) : Json()}};
  if (choice.kind == MutableKind::ValueChoice) {
    json["by"] = "value";
  }
  return {{"input_choice", json}};
}

Json written(const Placeholder& placeholder) {
  return {{"placeholder",
           {{"label", placeholder.label},
            {"parameters", placeholder.parameters},
            {"shape", placeholder.shape}}}};
}

Json to_json(const Node& node) {
  Json json = {{"id", node.id}, {"name", node.name}};
  if (!node.inputs.empty()) {
    json["inputs"] = ids(node.inputs);
  }
  std::visit([&](const auto& body) { json.update(written(body)); }, node.body);
  return json;
}

Json graph_to_json(const Graph& graph) {
  Json nodes = Json::array();
  for (const Node& node : graph.nodes()) {
    nodes.push_back(to_json(node));
  }
  Json outputs = Json::array();
  for (const Output& output : graph.outputs()) {
    outputs.push_back({{"name", output.name}, {"node", output.wire.node}});
  }
  return {{"name", graph.name()}, {"nodes", nodes}, {"outputs", outputs}};
}

class Reader {
 public:
  explicit Reader(const OperationTable& operations) : operations_(operations) {}

  Graph graph(const Json& json) const {
    Graph result(json.at("name").get<std::string>());
    for (const Json& node : json.at("nodes")) {
      const auto name = node.at("name").get<std::string>();
      std::vector<Wire> inputs;
      for (const Json& id : node.value("inputs", Json::array())) {
        inputs.push_back({id.get<NodeId>()});
      }
      auto body = in_context("node '" + name + "'", [&] { return node_body(node); });
      result.add({node.at("id").get<NodeId>(), name, std::move(body), inputs});
    }
    for (const Json& output : json.at("outputs")) {
      result.add_output(output.at("name").get<std::string>(), {output.at("node").get<NodeId>()});
    }
    return result;
  }

 private:
  Body body(const Json& json) const {
    if (json.contains("cell")) {
      return Cell(graph(json.at("cell")));
    }
    return operations_.make(json.at("type").get<std::string>(), json.at("parameters"));
  }

  decltype(Node::body) node_body(const Json& json) const {
    if (json.contains("input")) {
      return Input{json.at("input").at("shape").get<Shape>()};
    }
    if (json.contains("layer_choice")) {
      const Json& given = json.at("layer_choice");
      LayerChoice choice{given.at("label").get<std::string>(), {}};
      for (const Json& candidate : given.at("candidates")) {
        choice.candidates.push_back({candidate.at("name").get<std::string>(), body(candidate)});
      }
      return choice;
    }
    if (json.contains("input_choice")) {
      const Json& given = json.at("input_choice");
      InputChoice choice{.label = given.at("label").get<std::string>(),
                         .names = given.at("names").get<std::vector<std::string>>(),
                         .reduction = given.at("reduction").get<Reduction>()};
      TORCH_CHECK(Json(choice.reduction) == given.at("reduction"), "unknown reduction ",
                  given.at("reduction").dump(), ": expected sum, mean, concat or none");
      if (!given.at("n_chosen").is_null()) {
        choice.n_chosen = given.at("n_chosen").get<int64_t>();
      }
      if (given.contains("by")) {
        TORCH_CHECK(given.at("by") == "value" && choice.n_chosen == 1,
                    "an input choice by value chooses 1 input: expected \"by\": \"value\" and "
                    "\"n_chosen\": 1, got ",
                    given.at("by").dump(), " and ", given.at("n_chosen").dump());
        choice.kind = MutableKind::ValueChoice;
      }
      return choice;
    }
    if (json.contains("placeholder")) {
      const Json& given = json.at("placeholder");
      return Placeholder{given.at("label").get<std::string>(), given.at("parameters"),
                         given.at("shape").get<Shape>()};
    }
    return std::visit([](auto&& read) -> decltype(Node::body) { return std::move(read); },
                      body(json));
  }

  const OperationTable& operations_;
};

}  // namespace

Json to_json(const Graph& graph) {
  Json json = graph_to_json(graph);
  json["format"] = "retia.graph";
  json["version"] = kVersion;
  return json;
}

Graph graph_from_json(const Json& json, const OperationTable& operations) {
  TORCH_CHECK(json.is_object() && json.value("format", Json()) == "retia.graph",
              "expected a graph (\"format\": \"retia.graph\")");
  TORCH_CHECK(json.value("version", Json()) == kVersion, "expected a graph of version ", kVersion,
              ", found ", json.value("version", Json()).dump(), ": use the Retia that wrote it");
  try {
    Graph graph = Reader(operations).graph(json);
    TORCH_CHECK(!graph.outputs().empty(), "graph '", graph.name(), "' has no output");
    infer(graph);
    mutables(graph);
    return graph;
  } catch (const Json::exception& error) {
    TORCH_CHECK(false, "malformed graph: ", error.what());
  }
}

}  // namespace retia::ir
