#include "retia/engine/space/graph_mutator.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "retia/engine/ir/verify.h"
#include "retia/engine/space/freeze.h"

namespace retia::ir {
namespace {

Mutable layer_choice(std::vector<std::string> names) {
  return {.kind = MutableKind::LayerChoice, .names = std::move(names)};
}

/// The parameters in which operations of the type of `operation` differ: `(kernel=3, out=16)`.
std::string difference(const Operation& operation, const std::vector<Operation>& all) {
  std::string text;
  for (const auto& [key, value] : operation.parameters().items()) {
    const bool differs = std::any_of(all.begin(), all.end(), [&](const Operation& other) {
      return other.type() == operation.type() && other.parameters().value(key, Json()) != value;
    });
    if (differs) {
      text += (text.empty() ? "(" : ", ") + key + "=" +
              (value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

Mutable Sampler::described(const std::vector<Operation>& candidates) {
  std::vector<std::string> names;
  for (const Operation& candidate : candidates) {
    names.push_back(candidate.type() + difference(candidate, candidates));
  }
  return layer_choice(std::move(names));
}

Mutable Sampler::described(const std::vector<Candidate>& candidates) {
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates) {
    names.push_back(candidate.name);
  }
  return layer_choice(std::move(names));
}

Mutable Sampler::described(const std::vector<Json>& values) {
  std::vector<std::string> names;
  for (const Json& value : values) {
    names.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return {.kind = MutableKind::ValueChoice, .names = std::move(names)};
}

size_t Sampler::index(const std::string& name, Mutable choice) {
  choice.label = mutator_ + "/" + name;
  choice.scope = mutator_;
  TORCH_CHECK(!choice.names.empty(), "the choice '", choice.label, "' has no candidates");
  return static_cast<size_t>(decide(choice).chosen.front());
}

Decision Sampler::decide(const Mutable& choice) {
  const auto same = std::find_if(made_.begin(), made_.end(), [&](const MadeChoice& made) {
    return made.choice.label == choice.label;
  });
  std::vector<Mutable> checked;
  if (same != made_.end()) {
    checked.push_back(same->choice);
  }
  add_mutable(checked, choice);
  if (same != made_.end()) {
    return same->decision;
  }
  Decision decision = decide_(choice);
  check_decision(decision, choice, Purpose::Final);
  made_.push_back({choice, decision});
  return decision;
}

Mutation GraphMutator::apply(const Graph& graph, const Decider& decide) const {
  return in_context("graph mutator '" + name_ + "'", [&] {
    Sampler sampler(name_, decide);
    Graph fork = graph;
    mutate(fork, sampler);
    verify_rewrite("a graph mutator", fork, Promise::Graph);
    return Mutation{name_, sampler.made(), graph, std::move(fork)};
  });
}

void InlineMutator::mutate(Graph& graph, Sampler& sampler) const {
  Architecture architecture;
  for (const Mutable& choice : mutables(graph)) {
    architecture[choice.label] = sampler.decide(choice);
  }
  graph = freeze(graph, architecture);
}

std::vector<Mutation> apply(const Graph& base, const GraphMutators& mutators,
                            const Decider& decide) {
  const std::vector<Mutable> inline_choices = ir::mutables(base);
  if (mutators.empty()) {
    return inline_choices.empty() ? std::vector<Mutation>{}
                                  : std::vector<Mutation>{InlineMutator().apply(base, decide)};
  }
  TORCH_CHECK(inline_choices.empty(), "graph '", base.name(), "' has the inline ",
              to_string(inline_choices.front().kind), " '", inline_choices.front().label,
              "' and is given graph mutators: write its choices in one of the two ways");
  std::set<std::string> names;
  std::vector<Mutation> history;
  for (const auto& mutator : mutators) {
    TORCH_CHECK(names.insert(mutator->name()).second, "two graph mutators are named '",
                mutator->name(), "': their choices would share labels, rename one of them");
    history.push_back(mutator->apply(history.empty() ? base : history.back().to, decide));
  }
  return history;
}

Cell write_cell(const std::string& name, const Shape& input, const Writer& writer) {
  Builder builder(name);
  const Wire read = builder.input("input", input);
  builder.output("output", writer(builder, read));
  return Cell(builder.finish());
}

}  // namespace retia::ir
