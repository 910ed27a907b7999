#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "engine/architecture.h"
#include "engine/json.h"

namespace retia {

/// An architecture to try.
struct Proposal {
  int64_t id = 0;                  ///< counted from 0 by the strategy, in the order of asking
  Architecture architecture = {};  ///< canonical
  int64_t epochs = 0;              ///< how long to train it; 0: as long as the evaluator is set to
  int64_t continues = -1;          ///< the id of the trial to go on from; -1: from scratch

  friend bool operator==(const Proposal&, const Proposal&) = default;
};

/// How a trial stands.
enum class TrialStatus {
  Running,
  Succeeded,
  Failed,   ///< the evaluator threw, or gave no finite objectives
  Invalid,  ///< the architecture makes no model
  Stopped   ///< the experiment was interrupted: it will be tried again, and no strategy hears of it
};

NLOHMANN_JSON_SERIALIZE_ENUM(TrialStatus, {{TrialStatus::Running, "running"},
                                           {TrialStatus::Succeeded, "succeeded"},
                                           {TrialStatus::Failed, "failed"},
                                           {TrialStatus::Invalid, "invalid"},
                                           {TrialStatus::Stopped, "stopped"}})

/// What a strategy hears of a trial.
struct Outcome {
  TrialStatus status = TrialStatus::Failed;
  std::vector<double> objectives = {};  ///< more is better, for each; empty unless succeeded
};

/// There is nothing to propose before an outcome is told.
struct Wait {};

/// There is nothing left to propose.
struct Exhausted {};

/// Decides which architectures of a space are tried, by ask and tell. A function of its seed and of
/// what it is told only, so that telling stored outcomes again brings it back to where it was.
class Strategy {
 public:
  using Answer = std::variant<Proposal, Wait, Exhausted>;

  virtual ~Strategy() = default;

  /// Waiting changes nothing: asked again, it answers as if it had been asked once.
  virtual Answer ask() = 0;

  /// The outcome of a proposal; in the order of their ids.
  virtual void tell(const Proposal& proposal, const Outcome& outcome) = 0;

  /// All that asking and telling has changed; load_state of an equally made strategy continues
  /// from there.
  virtual Json state() const = 0;
  virtual void load_state(const Json& state) = 0;
};

}  // namespace retia
