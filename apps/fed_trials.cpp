#include "retia/apps/fed_trials.h"

#include <algorithm>
#include <iostream>
#include <set>
#include <unordered_set>

#include "retia/apps/trial_list.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/graph.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/strategies/domain.h"

namespace retia {
namespace {

constexpr const char* kFormat = "retia.fed";
constexpr int64_t kVersion = 1;
constexpr size_t kReasons = 3;  // why entries are left out, that are shown

std::filesystem::path path_in(const std::filesystem::path& run) { return run / "fed.json"; }

/// Reads entries, and takes each architecture once.
class Reader {
 public:
  Reader(const ir::Space& space, const std::vector<Objective>& objectives)
      : domain_(space), space_(space), objectives_(objectives) {}

  /// Adds an entry; throws where it is none.
  void add(const Json& entry, bool needs_scores, FedTrials& into) {
    const Architecture form = architecture_of(entry);
    const std::optional<Outcome> outcome = outcome_of(entry);
    TORCH_CHECK(outcome || !needs_scores, "has no number for each of the objectives ", names());
    if (!seen_.insert(form).second) {
      return;
    }
    if (outcome) {
      into.known.push_back({form, *outcome});
    } else {
      into.enqueued.push_back(form);
    }
  }

 private:
  Architecture architecture_of(const Json& entry) const {
    TORCH_CHECK(entry.is_object(), "expected an object with \"choices\", got ", entry.dump());
    const std::vector<Mutable>& mutables = domain_.mutables();
    const Architecture given = entry.contains("format")
                                   ? architecture_from_json(entry, mutables).architecture
                                   : choices_from_json(entry.value("choices", entry), mutables);
    TORCH_CHECK(space_.find_model(given), "has no valid model in this space: ", given.to_string());
    return domain_.form(given);
  }

  std::optional<Outcome> outcome_of(const Json& entry) const {
    const Json given = entry.value("objectives", Json::object());
    Outcome outcome{.status = TrialStatus::Succeeded};
    for (const Objective& objective : objectives_) {
      if (!given.is_object() || !given.contains(objective.name) ||
          !given[objective.name].is_number()) {
        return std::nullopt;
      }
      outcome.objectives.push_back(gain(objective, given[objective.name].get<double>()));
    }
    return outcome;
  }

  std::string names() const {
    std::string names;
    for (const Objective& objective : objectives_) {
      names += (names.empty() ? "\"" : ", \"") + objective.name + "\"";
    }
    return names;
  }

  Domain domain_;
  const ir::Space& space_;
  const std::vector<Objective>& objectives_;
  std::set<Architecture> seen_;
};

/// Returns the entries in a file, or the trials of a run that succeeded.
std::vector<Json> entries_in(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    const Json document = read_json(path);
    return document.is_array() ? document.get<std::vector<Json>>() : std::vector<Json>{document};
  }
  const ListedTrials listed = list_trials(path);
  std::vector<Json> entries;
  for (const Json& trial : listed.trials) {
    if (trial.at("status") == TrialStatus::Succeeded) {
      entries.push_back(shown(trial, listed.objectives));
    }
  }
  return entries;
}

std::string name_of(const Json& entry, size_t i) {
  const bool is_trial = entry.is_object() && entry.contains("trial");
  return is_trial ? "trial " + entry["trial"].dump() : c10::str("entry ", i + 1);
}

void enqueue(const std::filesystem::path& path, Reader& reader, FedTrials& fed) {
  const std::vector<Json> entries = entries_in(path);
  for (size_t i = 0; i < entries.size(); ++i) {
    ir::in_context(c10::str(path.string(), ": ", name_of(entries[i], i)),
                   [&] { reader.add(entries[i], /*needs_scores=*/false, fed); });
  }
}

void import_results(const std::filesystem::path& path, Reader& reader, FedTrials& fed) {
  const std::vector<Json> entries = entries_in(path);
  const size_t n_before = fed.known.size();
  std::vector<std::string> left_out;
  for (size_t i = 0; i < entries.size(); ++i) {
    try {
      reader.add(entries[i], /*needs_scores=*/true, fed);
    } catch (const c10::Error& error) {
      left_out.push_back(name_of(entries[i], i) + ": " + error.what_without_backtrace());
    }
  }
  std::cerr << path.string() << ": " << fed.known.size() - n_before << " results are known, "
            << left_out.size() << " are left out\n";
  for (size_t i = 0; i < std::min(kReasons, left_out.size()); ++i) {
    std::cerr << "  " << left_out[i] << '\n';
  }
}

/// Returns what an exploration that is continued was fed with.
FedTrials stored(const FedOptions& options, const std::vector<Mutable>& mutables) {
  const bool asked = !options.enqueue.empty() || !options.imported.empty();
  const std::filesystem::path path = path_in(options.out);
  if (!std::filesystem::exists(path)) {
    TORCH_CHECK(!asked, options.out, " has begun without --enqueue and --import: they are for a ",
                "new exploration, which may import this one: give another --out");
    return {};
  }
  const Json document = read_format(path, kFormat, kVersion);
  return ir::in_context(path.string(), [&] {
    FedTrials fed;
    try {
      for (const Json& choices : document.at("enqueued")) {
        fed.enqueued.push_back(choices_from_json(choices, mutables));
      }
      for (const Json& known : document.at("known")) {
        fed.known.push_back({choices_from_json(known.at("choices"), mutables),
                             {TrialStatus::Succeeded, known.at("gains")}});
      }
    } catch (const Json::exception& error) {
      TORCH_CHECK(false, "is damaged: ", error.what());
    }
    return fed;
  });
}

}  // namespace

ir::Filter FedTrials::others() const {
  if (is_empty()) {
    return nullptr;
  }
  std::unordered_set<uint64_t> hashes;
  for (const Architecture& architecture : enqueued) {
    hashes.insert(architecture.hash());
  }
  for (const KnownTrial& trial : known) {
    hashes.insert(trial.architecture.hash());
  }
  return [hashes = std::move(hashes)](const Architecture& architecture) {
    return !hashes.contains(architecture.hash());
  };
}

void FedTrials::write(const std::filesystem::path& run, const std::vector<Mutable>& mutables,
                      const std::vector<Objective>& objectives) const {
  if (std::filesystem::exists(store_path(run))) {
    return;  // it was read from there
  }
  if (is_empty()) {
    std::filesystem::remove(path_in(run));  // of a process that was killed before its first trial
    return;
  }
  Json tried = Json::array(), learnt = Json::array();
  for (const Architecture& architecture : enqueued) {
    tried.push_back(choices_to_json(architecture, mutables));
  }
  for (const KnownTrial& trial : known) {
    learnt.push_back({{"choices", choices_to_json(trial.architecture, mutables)},
                      {"gains", trial.outcome.objectives}});
  }
  write_json(path_in(run), {{"format", kFormat},
                            {"version", kVersion},
                            {"objectives", objectives},
                            {"enqueued", tried},
                            {"known", learnt}});
}

FedTrials fed_trials(const FedOptions& options, const ir::Space& space,
                     const Evaluator& evaluator) {
  if (options.resume && std::filesystem::exists(store_path(options.out))) {
    return stored(options, space.mutables());
  }
  const std::vector<Objective> objectives = evaluator.objectives();
  Reader reader(space, objectives);
  FedTrials fed;
  if (!options.imported.empty()) {
    import_results(options.imported, reader, fed);
  }
  if (!options.enqueue.empty()) {
    enqueue(options.enqueue, reader, fed);
  }
  return fed;
}

}  // namespace retia
