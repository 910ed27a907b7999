#include "retia/engine/space/space.h"

#include <algorithm>
#include <deque>
#include <set>

#include "retia/engine/ir/infer.h"
#include "retia/engine/space/freeze.h"

namespace retia::ir {
namespace {

constexpr size_t kMostOpen = 10000;

/// Finds the choices that graph mutators may ask for.
class Discovery {
 public:
  Discovery(const Graph& base, const GraphMutators& mutators) : base_(base), mutators_(mutators) {}

  std::vector<Mutable> run() {
    open_.push_back({});
    while (!open_.empty()) {
      const Architecture path = std::move(open_.front());
      open_.pop_front();
      Architecture so_far;
      apply(base_, mutators_, [&](const Mutable& choice) {
        meet(choice, so_far);
        return so_far[choice.label] =
                   path.contains(choice.label) ? path.at(choice.label) : first_candidates(choice);
      });
    }
    return found_;
  }

 private:
  /// Records a choice that comes up after the decisions `before`, and queues its other candidates.
  void meet(const Mutable& choice, const Architecture& before) {
    if (!seen_.insert({choice.label, choice.names}).second) {
      return;
    }
    const auto known = std::find_if(found_.begin(), found_.end(),
                                    [&](const Mutable& m) { return m.label == choice.label; });
    if (known == found_.end()) {
      add_mutable(found_, choice);
    } else {
      merge(*known, choice);
    }
    for (int64_t k = 1; k < choice.n_candidates(); ++k) {
      Architecture path = before;
      path[choice.label] = with(k, choice);
      open_.push_back(std::move(path));
    }
    TORCH_CHECK(open_.size() <= kMostOpen, "graph mutators offer more than ", kMostOpen,
                " candidates, of '", choice.label, "' at last: let them end");
  }

  static Decision with(int64_t candidate, const Mutable& choice) {
    Decision decision = first_candidates(choice);
    std::vector<int64_t>& chosen = decision.chosen;
    if (std::find(chosen.begin(), chosen.end(), candidate) == chosen.end()) {
      if (!chosen.empty()) {
        chosen.pop_back();
      }
      chosen.push_back(candidate);
    }
    return decision;
  }

  /// Merges two lists of candidates of one label into one list of indices, as long as the longer
  /// list.
  static void merge(Mutable& known, const Mutable& other) {
    TORCH_CHECK(known.n_chosen == other.n_chosen, "the choice '", known.label,
                "' is of a different number of candidates on different paths: give choices of "
                "graph mutators names that tell them apart");
    const size_t n = std::max(known.names.size(), other.names.size());
    known.names.clear();
    for (size_t k = 0; k < n; ++k) {
      known.names.push_back(std::to_string(k));
    }
  }

  const Graph& base_;
  const GraphMutators& mutators_;
  std::vector<Mutable> found_;
  std::set<std::pair<std::string, std::vector<std::string>>> seen_;  // labels and their lists
  std::deque<Architecture> open_;  // what to decide on a path; the rest: the first candidates
};

/// Returns the decision with an index beyond the candidates taken modulo their number.
Decision wrapped(Decision decision, const Mutable& choice) {
  if (decision.chosen.size() == 1 && decision.chosen.front() >= choice.n_candidates()) {
    decision.chosen.front() %= choice.n_candidates();
  }
  return decision;
}

/// Returns whether `made` equals `promised`; a promised size that is a choice may be any of its
/// options.
bool keeps(const Shape& made, const Shape& promised) {
  return std::equal(made.begin(), made.end(), promised.begin(), promised.end(),
                    [](const Dim& size, const Dim& expected) {
                      const std::vector<Json> admitted = expected.expression().options();
                      return std::find(admitted.begin(), admitted.end(), Json(size.value())) !=
                             admitted.end();
                    });
}

/// Returns what `make` returns; none where the graph mutators that it applies throw.
template <class Make>
std::optional<std::invoke_result_t<Make>> unless_refused(const Make& make) {
  try {
    return make();
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

/// Throws where a node that stands for a placeholder makes another shape than that promised.
void check_promises(const Graph& base, const Graph& mutated) {
  const std::map<NodeId, Shape> shapes = infer(mutated);
  for (const Node& node : base.nodes()) {
    const auto* placeholder = std::get_if<Placeholder>(&node.body);
    const auto made = shapes.find(node.id);
    TORCH_CHECK(
        placeholder == nullptr || made == shapes.end() || keeps(made->second, placeholder->shape),
        "node '", node.name, "' makes ", to_string(made->second), ", but its placeholder '",
        placeholder->label, "' promised ", to_string(placeholder->shape));
  }
}

}  // namespace

Space::Space(Graph graph) : Space(std::move(graph), {}) {}

Space::Space(Graph base, GraphMutators mutators)
    : graph_(std::move(base)), mutators_(std::move(mutators)) {
  if (mutators_.empty()) {
    forms_.emplace(graph_);
  }
  mutables_ = forms_ ? forms_->mutables() : Discovery(graph_, mutators_).run();
}

Space Space::with(std::vector<Setting> settings) const {
  Space space = *this;
  space.mutables_.erase(std::remove_if(space.mutables_.begin(), space.mutables_.end(), &is_setting),
                        space.mutables_.end());
  add_mutables(space.mutables_, settings);
  space.settings_ = std::move(settings);
  return space;
}

const Graph& Space::supernet() const {
  TORCH_CHECK(mutators_.empty(), "space '", name(),
              "' is a base graph with graph mutators, whose models share no weights: try them one "
              "by one, with `retia explore`");
  return graph_;
}

bool Space::knows(const std::string& label) const {
  return std::any_of(mutables_.begin(), mutables_.end(),
                     [&](const Mutable& choice) { return choice.label == label; });
}

std::vector<Mutation> Space::history(const Architecture& architecture) const {
  check_labels(architecture, mutables_);
  const Architecture decided = mutators_.empty() ? completed(architecture) : architecture;
  return apply(graph_, mutators_, [&](const Mutable& choice) {
    return knows(choice.label) ? decided.at(choice.label) : first_candidates(choice);
  });
}

Graph Space::model(const Architecture& architecture) const {
  if (forms_) {
    return selected(graph_, forms_->of(of_models(architecture)));
  }
  const Graph mutated = history(architecture).back().to;
  const std::vector<Mutable> left = ir::mutables(mutated);
  TORCH_CHECK(left.empty(), "graph mutators left the choice '", left.front().label,
              "' in the graph: they decide by what their sampler chooses");
  check_promises(graph_, mutated);
  return freeze(mutated, {});
}

Architecture Space::canonical(const Architecture& architecture) const {
  if (forms_) {
    return with_settings(forms_->of(of_models(architecture)), architecture);
  }
  check_labels(architecture, mutables_);
  Architecture reached;
  apply(graph_, mutators_, [&](const Mutable& choice) {
    if (!knows(choice.label)) {
      return first_candidates(choice);
    }
    return reached[choice.label] = wrapped(architecture.at(choice.label), choice);
  });
  return with_settings(std::move(reached), architecture);
}

std::optional<Architecture> Space::find_canonical(const Architecture& architecture) const {
  if (forms_) {
    auto form = forms_->find(of_models(architecture));
    return form ? std::optional(with_settings(std::move(*form), architecture)) : std::nullopt;
  }
  return unless_refused([&] { return canonical(architecture); });
}

std::optional<Graph> Space::find_model(const Architecture& architecture) const {
  if (forms_) {
    const auto form = forms_->find(of_models(architecture));
    return form ? std::optional(selected(graph_, *form)) : std::nullopt;
  }
  return unless_refused([&] { return model(canonical(architecture)); });
}

Architecture Space::of_models(const Architecture& architecture) const {
  if (settings_.empty()) {
    return architecture;
  }
  Architecture result;
  for (const auto& [label, decision] : architecture) {
    const auto is_its = [&label = label](const Mutable& choice) {
      return choice.label == label && is_setting(choice);
    };
    if (std::none_of(mutables_.begin(), mutables_.end(), is_its)) {
      result[label] = decision;
    }
  }
  return result;
}

Architecture Space::with_settings(Architecture form, const Architecture& architecture) const {
  for (const Setting& setting : settings_) {
    for (const std::string& label : setting.value.reached(architecture)) {
      if (!form.contains(label)) {
        form[label] = architecture.at(label);
      }
    }
  }
  return form;
}

Architecture Space::completed(const Architecture& architecture) const {
  return retia::completed(architecture, mutables_);
}

}  // namespace retia::ir
