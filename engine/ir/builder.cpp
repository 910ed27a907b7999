#include "retia/engine/ir/builder.h"

#include <set>

#include "retia/engine/base/suggest.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"

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
    choice.candidates.push_back(
        {candidate.name,
         match(
             candidate.body,
             [&](const Operation& operation) -> Body {
               return operation.labelled(label_prefix_ + path);
             },
             [&](const Writer& writer) -> Body { return Cell(nested(path, writer, inputs)); })});
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
                InputChoice{.label = options.label.empty() ? label_prefix_ + name : options.label,
                            .names = std::move(names),
                            .n_chosen = options.n_chosen,
                            .reduction = options.reduction},
                std::move(candidates));
}

Wire Builder::choose_from(const std::string& name, const std::vector<std::string>& keys,
                          const InputChoiceOptions& options) {
  InputChoiceOptions named_options = options;
  named_options.names = keys;
  std::vector<Wire> candidates;
  in_context("node '" + name_prefix_ + name + "'", [&] {
    for (const std::string& key : keys) {
      candidates.push_back(named(key));
    }
  });
  return input_choice(name, std::move(candidates), named_options);
}

Wire Builder::named(const std::string& key) const {
  std::map<std::string, Wire> by_name;
  std::map<std::string, std::vector<Wire>> by_label;
  for (const Node& node : graph_.nodes()) {
    by_name[node.name] = {node.id};
    match(
        node.body, [](const Input&) {}, [](const Placeholder&) {}, [](const Operation&) {},
        [](const Cell&) {},
        [&](const auto& choice) { by_label[choice.label].push_back({node.id}); });
  }
  for (std::string scope = name_prefix_;;
       scope.erase(scope.find_last_of('/', scope.size() - 2) + 1)) {
    const auto node = by_name.find(scope + key);
    if (node != by_name.end()) {
      return node->second;
    }
    if (scope.empty()) {
      break;
    }
  }
  const auto label = by_label.find(key);
  if (label == by_label.end()) {
    std::vector<std::string> known;
    for (const auto& [other, wire] : by_name) {
      known.push_back(other);
    }
    TORCH_CHECK(false, "the key '", key, "' names no node before it", suggestion(key, known));
  }
  TORCH_CHECK(label->second.size() == 1, "the key '", key, "' is the label of ",
              label->second.size(), " choices: name the node");
  return label->second.front();
}

Wire Builder::placeholder(const std::string& name, const PlaceholderOptions& options,
                          std::vector<Wire> inputs) {
  return append(name, Placeholder{options.label, options.parameters, options.shape},
                std::move(inputs));
}

Wire Builder::repeat(const std::string& name, const Dim& depth, const BlockWriter& body, Wire input,
                     Blocks blocks) {
  const Dim labelled = depth.expression().labelled(label_prefix_ + name + "/depth");
  std::vector<Wire> after = {input};
  in_context("repeat '" + name_prefix_ + name + "'", [&] {
    TORCH_CHECK(labelled.min() >= 0, "the depth ", depth.to_string(), " is below 0");
    labelled.expression().options();  // throws where they are too many to be selected from
  });
  for (int64_t i = 0; i < labelled.max(); ++i) {
    const std::string block = name + "/" + std::to_string(i);
    const std::string& label = blocks == Blocks::Shared ? name : block;
    const Scope inner{*this, name_prefix_ + block + "/", label_prefix_ + label + "/"};
    after.push_back(body(*this, after.back(), i));
  }
  return selected(name + "/depth", labelled.expression(), after);
}

Wire Builder::repeat(const std::string& name, const Dim& depth, const Writer& body, Wire input,
                     Blocks blocks) {
  return repeat(
      name, depth, [&body](Builder& b, Wire x, int64_t) { return body(b, x); }, input, blocks);
}

/// The one of `of` that `index` says: an input choice by the first value choice in it, of what the
/// others select under each of its options.
Wire Builder::selected(const std::string& name, const Expression& index,
                       const std::vector<Wire>& of) {
  if (index.decided()) {
    return of.at(static_cast<size_t>(Dim(index).value()));
  }
  InputChoice choice{.n_chosen = 1, .kind = MutableKind::ValueChoice};
  index.visit_choices([&](const std::string& label, const std::vector<std::string>& names) {
    if (choice.names.empty()) {
      choice.label = label;
      choice.names = names;
    }
  });
  std::vector<Wire> inputs;
  for (size_t k = 0; k < choice.names.size(); ++k) {
    const Architecture decided = {{choice.label, {{static_cast<int64_t>(k)}}}};
    inputs.push_back(selected(name + "/" + std::to_string(k), index.at(decided), of));
  }
  return append(name, std::move(choice), std::move(inputs));
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
