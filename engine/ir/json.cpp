#include "retia/engine/ir/json.h"

#include "retia/engine/ir/infer.h"
#include "retia/engine/operations/table.h"

namespace retia::ir {
namespace {

constexpr int kVersion = 1;

Json body_to_json(const Body& body);

Json ids(const std::vector<Wire>& wires) {
  Json json = Json::array();
  for (const Wire wire : wires) {
    json.push_back(wire.node);
  }
  return json;
}

Json to_json(const Node& node) {
  Json json = {{"id", node.id}, {"name", node.name}};
  if (!node.inputs.empty()) {
    json["inputs"] = ids(node.inputs);
  }
  if (const auto* input = std::get_if<Input>(&node.body)) {
    json["input"] = {{"shape", input->shape}};
  } else if (const auto* operation = std::get_if<Operation>(&node.body)) {
    json.update(body_to_json(*operation));
  } else if (const auto* cell = std::get_if<Cell>(&node.body)) {
    json.update(body_to_json(*cell));
  } else if (const auto* choice = std::get_if<LayerChoice>(&node.body)) {
    Json candidates = Json::array();
    for (const Candidate& candidate : choice->candidates) {
      Json written = body_to_json(candidate.body);
      written["name"] = candidate.name;
      candidates.push_back(written);
    }
    json["layer_choice"] = {{"label", choice->label}, {"candidates", candidates}};
  } else if (const auto* input_choice = std::get_if<InputChoice>(&node.body)) {
    json["input_choice"] = {{"label", input_choice->label},
                            {"names", input_choice->names},
                            {"reduction", input_choice->reduction},
                            {"n_chosen", nullptr}};
    if (input_choice->n_chosen) {
      json["input_choice"]["n_chosen"] = *input_choice->n_chosen;
    }
    if (input_choice->kind == MutableKind::ValueChoice) {
      json["input_choice"]["by"] = "value";
    }
  } else {
    const auto& placeholder = std::get<Placeholder>(node.body);
    json["placeholder"] = {{"label", placeholder.label},
                           {"parameters", placeholder.parameters},
                           {"shape", placeholder.shape}};
  }
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

Json body_to_json(const Body& body) {
  if (const auto* operation = std::get_if<Operation>(&body)) {
    return {{"type", operation->type()}, {"parameters", operation->parameters()}};
  }
  return {{"cell", graph_to_json(std::get<Cell>(body).graph())}};
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
      const Json& written = json.at("layer_choice");
      LayerChoice choice{written.at("label").get<std::string>(), {}};
      for (const Json& candidate : written.at("candidates")) {
        choice.candidates.push_back({candidate.at("name").get<std::string>(), body(candidate)});
      }
      return choice;
    }
    if (json.contains("input_choice")) {
      const Json& written = json.at("input_choice");
      InputChoice choice{written.at("label").get<std::string>(),
                         written.at("names").get<std::vector<std::string>>(), std::nullopt,
                         written.at("reduction").get<Reduction>()};
      TORCH_CHECK(Json(choice.reduction) == written.at("reduction"), "unknown reduction ",
                  written.at("reduction").dump(), ": expected sum, mean, concat or none");
      if (!written.at("n_chosen").is_null()) {
        choice.n_chosen = written.at("n_chosen").get<int64_t>();
      }
      if (written.contains("by")) {
        TORCH_CHECK(written.at("by") == "value" && choice.n_chosen == 1,
                    "an input choice by value chooses 1 input: expected \"by\": \"value\" and "
                    "\"n_chosen\": 1, got ",
                    written.at("by").dump(), " and ", written.at("n_chosen").dump());
        choice.kind = MutableKind::ValueChoice;
      }
      return choice;
    }
    if (json.contains("placeholder")) {
      const Json& written = json.at("placeholder");
      return Placeholder{written.at("label").get<std::string>(), written.at("parameters"),
                         written.at("shape").get<Shape>()};
    }
    const Body read = body(json);
    if (const auto* cell = std::get_if<Cell>(&read)) {
      return *cell;
    }
    return std::get<Operation>(read);
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
