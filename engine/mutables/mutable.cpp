#include "retia/engine/mutables/mutable.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <set>

#include "retia/engine/base/suggest.h"
#include "retia/engine/mutables/combinations.h"

namespace retia {
namespace {

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return "[" + text + "]";
}

}  // namespace

std::string_view to_string(MutableKind kind) {
  switch (kind) {
    case MutableKind::LayerChoice:
      return "layer choice";
    case MutableKind::InputChoice:
      return "input choice";
    case MutableKind::ValueChoice:
      return "value choice";
  }
  return "";
}

std::string scope_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Decision first_candidates(const Mutable& choice) {
  return {first_set(choice.n_chosen.value_or(0))};
}

Architecture completed(Architecture architecture, const std::vector<Mutable>& mutables) {
  for (const Mutable& choice : mutables) {
    if (!architecture.contains(choice.label)) {
      architecture[choice.label] = first_candidates(choice);
    }
  }
  return architecture;
}

void check_decision(const Decision& decision, const Mutable& choice, Purpose purpose) {
  const std::vector<int64_t>& chosen = decision.chosen;
  const auto count = static_cast<int64_t>(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    TORCH_CHECK(chosen[i] >= 0 && chosen[i] < choice.n_candidates(), to_string(choice.kind), " '",
                choice.label, "': index ", chosen[i], " is outside its ", choice.n_candidates(),
                " candidates");
    TORCH_CHECK(i == 0 || chosen[i - 1] < chosen[i], to_string(choice.kind), " '", choice.label,
                "': expected distinct indices in ascending order, got ", chosen[i], " after ",
                chosen[i - 1]);
  }
  if (!choice.n_chosen) {
    return;
  }
  const bool enough =
      purpose == Purpose::Final ? count == *choice.n_chosen : count >= *choice.n_chosen;
  TORCH_CHECK(enough, to_string(choice.kind), " '", choice.label, "': expected ",
              purpose == Purpose::Final ? "" : "at least ", *choice.n_chosen, " of ",
              choice.n_candidates(), " candidates, got ", count);
}

void check_labels(const Architecture& architecture, const std::vector<Mutable>& mutables) {
  std::vector<std::string> labels;
  for (const Mutable& choice : mutables) {
    labels.push_back(choice.label);
  }
  const std::set<std::string> known(labels.begin(), labels.end());
  for (const auto& [label, decision] : architecture) {
    TORCH_CHECK(known.count(label) != 0, "the architecture decides '", label,
                "', which this space does not have", suggestion(label, labels));
  }
}

void check_architecture(const Architecture& architecture, const std::vector<Mutable>& mutables,
                        Purpose purpose) {
  check_labels(architecture, mutables);
  for (const Mutable& choice : mutables) {
    TORCH_CHECK(architecture.contains(choice.label), "the architecture decides nothing for ",
                to_string(choice.kind), " '", choice.label, "'");
    check_decision(architecture.at(choice.label), choice, purpose);
  }
}

Architecture translated(const Architecture& architecture, const std::vector<Mutable>& from,
                        const std::vector<Mutable>& to) {
  Architecture result;
  for (const Mutable& source : from) {
    if (!architecture.contains(source.label)) {
      continue;
    }
    const auto target = std::find_if(to.begin(), to.end(),
                                     [&](const Mutable& m) { return m.label == source.label; });
    TORCH_CHECK(target != to.end(), "there is no choice '", source.label, "' to translate to");
    std::vector<int64_t>& chosen = result[source.label].chosen;
    for (const int64_t index : architecture.at(source.label).chosen) {
      const std::string& name = source.names.at(static_cast<size_t>(index));
      const auto found = std::find(target->names.begin(), target->names.end(), name);
      TORCH_CHECK(found != target->names.end(), "choice '", source.label, "' has no candidate '",
                  name, "' to translate to");
      chosen.push_back(found - target->names.begin());
    }
    std::sort(chosen.begin(), chosen.end());
  }
  return result;
}

void add_mutable(std::vector<Mutable>& mutables, Mutable choice) {
  TORCH_CHECK(!choice.label.empty(), "a ", to_string(choice.kind), " has an empty label");
  TORCH_CHECK(choice.label.find('.') == std::string::npos, "the label '", choice.label,
              "' has a dot, which separates modules from their parameters: use '/' or '_'");
  const auto same = std::find_if(mutables.begin(), mutables.end(),
                                 [&](const Mutable& m) { return m.label == choice.label; });
  if (same == mutables.end()) {
    mutables.push_back(std::move(choice));
    return;
  }
  const bool reads = choice.kind == MutableKind::ValueChoice && same->names == choice.names;
  TORCH_CHECK(same->kind == choice.kind || reads, "label '", choice.label, "' is a ",
              to_string(same->kind), " and a ", to_string(choice.kind),
              ": one label is one decision, rename one of them");
  TORCH_CHECK(same->names == choice.names, "label '", choice.label, "' has candidates ",
              join(same->names), " in one place and ", join(choice.names),
              " in another: one label is one decision, rename one of them");
  TORCH_CHECK(same->n_chosen == choice.n_chosen, "label '", choice.label,
              "' chooses a different number of candidates in different places: one label is one "
              "decision, rename one of them");
}

}  // namespace retia
