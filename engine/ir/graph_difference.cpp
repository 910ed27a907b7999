#include "retia/engine/ir/graph_difference.h"

#include <map>

#include "retia/engine/base/json_difference.h"
#include "retia/engine/io/content_digest.h"
#include "retia/engine/ir/json.h"

namespace retia::ir {
namespace {

/// Returns the graph with each id replaced by the place of its node, and without its own name.
Json without_ids(Json graph);

Json without_ids_in(Json value) {
  if (value.is_object() && value.contains("nodes") && value.contains("outputs")) {
    return without_ids(std::move(value));
  }
  if (value.is_structured()) {
    for (Json& part : value) {
      part = without_ids_in(std::move(part));
    }
  }
  return value;
}

Json without_ids(Json graph) {
  std::map<int64_t, size_t> places;
  for (const Json& node : graph["nodes"]) {
    places.emplace(node["id"].get<int64_t>(), places.size());
  }
  const auto place = [&](const Json& id) { return places.at(id.get<int64_t>()); };
  graph.erase("name");
  for (Json& node : graph["nodes"]) {
    node.erase("id");
    for (Json& input : node["inputs"]) {
      input = place(input);
    }
    node = without_ids_in(std::move(node));
  }
  for (Json& output : graph["outputs"]) {
    output["node"] = place(output["node"]);
  }
  return graph;
}

/// Returns an object in which lists are objects too, so that each entry of theirs is compared.
Json with_numbered_lists(const Json& json) {
  if (!json.is_structured()) {
    return json;
  }
  Json made = Json::object();
  size_t i = 0;
  for (const auto& [key, value] : json.items()) {
    const bool is_named = json.is_array() && value.is_object() && value.contains("name");
    const std::string name = is_named ? value["name"].get<std::string>() : key;
    made[json.is_array() && !is_named ? std::to_string(i) : name] = with_numbered_lists(value);
    ++i;
  }
  return made;
}

std::string differences_of(const Json& before, const Json& now) {
  const std::vector<JsonChange> changes =
      changes_between(with_numbered_lists(before), with_numbered_lists(now));
  return changes.empty() ? "its order changed" : to_string(changes.front());
}

}  // namespace

std::optional<std::string> first_difference(const Graph& before, const Graph& now) {
  const Json a = without_ids(to_json(before)), b = without_ids(to_json(now));
  if (a == b) {
    return std::nullopt;
  }
  const Json &old_nodes = a["nodes"], &new_nodes = b["nodes"];
  for (size_t i = 0; i < std::min(old_nodes.size(), new_nodes.size()); ++i) {
    if (old_nodes[i] == new_nodes[i]) {
      continue;
    }
    const auto name = old_nodes[i]["name"].get<std::string>();
    return new_nodes[i]["name"] == name
               ? "node '" + name + "': " + differences_of(old_nodes[i], new_nodes[i])
               : "node '" + name + "' was where '" + new_nodes[i]["name"].get<std::string>() +
                     "' is now";
  }
  if (old_nodes.size() != new_nodes.size()) {
    const bool grew = new_nodes.size() > old_nodes.size();
    const Json& extra = grew ? new_nodes[old_nodes.size()] : old_nodes[new_nodes.size()];
    return "node '" + extra["name"].get<std::string>() + (grew ? "' was added" : "' was removed");
  }
  return "outputs: " + differences_of({{"outputs", a["outputs"]}}, {{"outputs", b["outputs"]}});
}

std::string digest(const Graph& graph) {
  return content_digest(without_ids(to_json(graph)).dump());
}

}  // namespace retia::ir
