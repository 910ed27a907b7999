#include "engine/ir/builder.h"

#include <set>

#include "engine/ir/infer.h"

namespace retia::ir {

Builder::Builder(std::string name, NodeId first_id) : graph_(std::move(name), first_id) {}

Wire Builder::input(const std::string& name, Shape shape) {
  return append(name, Input{std::move(shape)}, {});
}

Wire Builder::add(const std::string& name, const Operation& operation, std::vector<Wire> inputs) {
  return append(name, operation.labelled(label_prefix_ + name), std::move(inputs));
}

Wire Builder::cell(const std::string& name, const Writer& writer, Wire input) {
  return append(name, Cell(nested(name, writer, {input})), {input});
}

Wire Builder::layer_choice(const std::string& name, const std::vector<CandidateWriter>& candidates,
                           std::vector<Wire> inputs, const LayerChoiceOptions& options) {
  LayerChoice choice{options.label.empty() ? label_prefix_ + name : options.label, {}};
  for (const CandidateWriter& candidate : candidates) {
    const std::string path = name + "/" + candidate.name;
    if (const auto* operation = std::get_if<Operation>(&candidate.body)) {
      choice.candidates.push_back({candidate.name, operation->labelled(label_prefix_ + path)});
    } else {
      choice.candidates.push_back(
          {candidate.name, Cell(nested(path, std::get<Writer>(candidate.body), inputs))});
    }
  }
  return append(name, std::move(choice), std::move(inputs));
}

Wire Builder::input_choice(const std::string& name, std::vector<Wire> candidates,
                           const InputChoiceOptions& options) {
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    for (const Wire candidate : candidates) {
      const std::string& path = graph_.node(candidate).name;
      names.push_back(path.substr(path.rfind('/') + 1));
    }
  }
  return append(name,
                InputChoice{options.label.empty() ? label_prefix_ + name : options.label,
                            std::move(names), options.n_chosen, options.reduction},
                std::move(candidates));
}

Wire Builder::placeholder(const std::string& name, const PlaceholderOptions& options,
                          std::vector<Wire> inputs) {
  return append(name, Placeholder{options.label, options.parameters, options.shape},
                std::move(inputs));
}

Wire Builder::repeat(const std::string& name, const Dim& depth, const Writer& body, Wire input) {
  const Json written = depth.expression();
  const bool plain_choice = is_symbolic(written) && written.contains("choice");
  TORCH_CHECK(depth.decided() || plain_choice, "repeat '", name_prefix_, name,
              "': the depth must be an integer or a ValueChoice of integers, got ",
              depth.to_string());
  TORCH_CHECK(depth.min() >= 0, "repeat '", name_prefix_, name, "': the depth is below 0");
  std::vector<Wire> after = {input};
  for (int64_t i = 0; i < depth.max(); ++i) {
    const Scope inner = scope(name + "/" + std::to_string(i));
    after.push_back(body(*this, after.back()));
  }
  if (depth.decided()) {
    return after.back();
  }
  std::vector<Wire> ends;
  std::vector<std::string> names;
  for (const Json& option : depth.expression().options()) {
    ends.push_back(after.at(option.get<size_t>()));
    names.push_back(option.dump());
  }
  return input_choice(name + "/depth", ends, {.label = written.at("choice"), .names = names});
}

void Builder::output(const std::string& name, Wire wire) { graph_.add_output(name, wire); }

const Shape& Builder::shape(Wire wire) const {
  const auto found = shapes_.find(wire.node);
  TORCH_CHECK(found != shapes_.end(), "graph '", graph_.name(), "' has no value of node ",
              wire.node, ": a wire of another builder was given");
  return found->second;
}

Builder::Scope::Scope(Builder& builder, std::string name_prefix, std::string label_prefix)
    : builder_(builder),
      saved_name_prefix_(std::exchange(builder.name_prefix_, std::move(name_prefix))),
      saved_label_prefix_(std::exchange(builder.label_prefix_, std::move(label_prefix))) {}

Builder::Scope::~Scope() {
  builder_.name_prefix_ = std::move(saved_name_prefix_);
  builder_.label_prefix_ = std::move(saved_label_prefix_);
}

Builder::Scope Builder::scope(const std::string& name) {
  return {*this, name_prefix_ + name + "/", label_prefix_ + name + "/"};
}

Builder::Scope Builder::label_scope(const std::string& label) {
  return {*this, name_prefix_, label + "/"};
}

Graph Builder::finish() {
  TORCH_CHECK(!graph_.outputs().empty(), "graph '", graph_.name(),
              "' has no output: call output()");
  std::set<NodeId> used;
  for (const Output& output : graph_.outputs()) {
    used.insert(output.wire.node);
  }
  for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node) {
    TORCH_CHECK(used.count(node->id) != 0, "graph '", graph_.name(), "': nothing reads node '",
                node->name, "': connect it or leave it out");
    for (const Wire wire : node->inputs) {
      used.insert(wire.node);
    }
  }
  mutables(graph_);
  return std::move(graph_);
}

Wire Builder::append(const std::string& name, decltype(Node::body) body, std::vector<Wire> inputs) {
  std::vector<Shape> read;
  for (const Wire wire : inputs) {
    read.push_back(shape(wire));
  }
  Shape made = infer({-1, name_prefix_ + name, body, inputs}, read);
  const Wire wire = graph_.add(name_prefix_ + name, std::move(body), std::move(inputs));
  shapes_[wire.node] = std::move(made);
  return wire;
}

Graph Builder::nested(const std::string& name, const Writer& writer,
                      const std::vector<Wire>& inputs) const {
  TORCH_CHECK(inputs.size() == 1, "cell '", name_prefix_, name, "' reads one value, got ",
              inputs.size());
  Builder inner(name_prefix_ + name, graph_.next_id());
  inner.label_prefix_ = label_prefix_ + name + "/";
  const Wire input = inner.input("input", shape(inputs.front()));
  inner.output("output", writer(inner, input));
  return inner.finish();
}

}  // namespace retia::ir
