#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/symbolic/architecture.h"

namespace retia {

/// An architecture to try, as one trial.
struct Proposal {
  int64_t id = 0;                  ///< counted from 0 by the strategy, in the order of ask()
  Architecture architecture = {};  ///< canonical
  int64_t epochs = 0;              ///< epochs of training; 0: as many as the evaluator is set to
  int64_t continues = -1;          ///< id of the trial whose weights it continues; -1: from scratch

  friend bool operator==(const Proposal&, const Proposal&) = default;
};

/// The state of a trial.
enum class TrialStatus {
  Running,
  Succeeded,
  Failed,   ///< the evaluator threw, or returned objectives that are not finite
  Invalid,  ///< the architecture has no valid model
  Diverged,  ///< the model learnt nothing: its loss is infinite, NaN or absurd, or its outputs constant
  Stopped  ///< the experiment was interrupted: the trial runs again later, and no strategy is told
};

NLOHMANN_JSON_SERIALIZE_ENUM(TrialStatus, {{TrialStatus::Running, "running"},
                                           {TrialStatus::Succeeded, "succeeded"},
                                           {TrialStatus::Failed, "failed"},
                                           {TrialStatus::Invalid, "invalid"},
                                           {TrialStatus::Diverged, "diverged"},
                                           {TrialStatus::Stopped, "stopped"}})

/// The result of a trial, as told to a strategy.
struct Outcome {
  TrialStatus status = TrialStatus::Failed;  ///< Succeeded, Failed, Invalid or Diverged
  /// One per objective, larger is better; empty unless succeeded.
  std::vector<double> objectives = {};
};

/// An answer of ask(): nothing can be proposed before another outcome is told.
struct Wait {};

/// An answer of ask(): nothing is left to propose.
struct Exhausted {};

/// Decides which architectures of a space are tried, by ask and tell. Its behaviour depends only on
/// its seed and on the outcomes it is told, so telling stored outcomes again restores it.
class Strategy {
 public:
  /// An answer of ask(): a proposal, or the reason why there is none.
  using Answer = std::variant<Proposal, Wait, Exhausted>;

  virtual ~Strategy() = default;

  /// Returns the next proposal. An answer of Wait changes no state, so that asking again is
  /// harmless.
  virtual Answer ask() = 0;

  /// Tells the outcome of a proposal; called in the order of proposal ids.
  virtual void tell(const Proposal& proposal, const Outcome& outcome) = 0;

  /// Returns all state changed by ask and tell; load_state of a strategy made with the same options
  /// continues from it.
  virtual Json state() const = 0;
  /// Restores a state that state() of a strategy with the same options returned.
  virtual void load_state(const Json& state) = 0;
};

}  // namespace retia
