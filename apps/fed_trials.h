#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/space/space.h"
#include "retia/strategies/fed.h"

namespace retia {

/// The words of `retia explore` that feed a strategy.
struct FedOptions {
  std::string enqueue = "";   ///< file of --enqueue; empty: none
  std::string imported = "";  ///< run or file of --import; empty: none
  std::string out = "";       ///< run directory of the exploration
  bool resume = false;        ///< whether an exploration in `out` is continued
};

/// The trials that an exploration is given before its strategy proposes: architectures to try, and
/// known results. The run keeps them in fed.json, from which a resumed exploration takes them.
struct FedTrials {
  std::vector<Architecture> enqueued = {};  ///< to be tried first, canonical
  std::vector<KnownTrial> known = {};       ///< with scores

  /// Returns whether there is nothing.
  bool is_empty() const { return enqueued.empty() && known.empty(); }

  /// Returns the filter that admits all other architectures; null where there is nothing.
  ir::Filter others() const;

  /// Writes fed.json into `run`, unless it has trials already.
  void write(const std::filesystem::path& run, const std::vector<Mutable>& mutables,
             const std::vector<Objective>& objectives) const;
};

/// Reads what `options` name. An entry of a file is an architecture, an object with its "choices",
/// or one with "objectives" too, by name: as `retia top --format json` writes them. An entry with
/// the objectives of `evaluator` is known, another one of --enqueue is tried. Entries of --import
/// that are not of `space` or lack an objective are left out, and standard error says how many and
/// why. Throws, naming file and entry, where an entry of --enqueue is not of `space`.
FedTrials fed_trials(const FedOptions& options, const ir::Space& space, const Evaluator& evaluator);

}  // namespace retia
