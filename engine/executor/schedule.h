#pragma once

#include <optional>
#include <vector>

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// The instructions of a program that run under the current decisions, in order, and the values to
/// drop after each. Holds for as long as the decisions do (see Instruction::add_decisions).
class Schedule {
 public:
  /// An instruction that runs, or one that stands in for it.
  struct Entry {
    const Instruction* instruction;  ///< owned by the program
    /// The entry of the instruction that replaced this one: if that one has run, this one does not.
    /// Empty: the instruction runs in any case.
    std::optional<size_t> stands_in_for = {};
    std::vector<Value> drop = {};         ///< values that nothing after this entry reads
    std::vector<Value> drop_if_run = {};  ///< values that only replaced instructions read later
  };

  /// Makes the schedule of the current decisions. `program` outlives it.
  explicit Schedule(const Program& program);

  /// Returns the instructions in the order in which they run.
  const std::vector<Entry>& entries() const { return entries_; }

  /// Returns, per value, whether it is needed.
  const std::vector<bool>& live() const { return live_; }

 private:
  std::vector<Entry> entries_;
  std::vector<bool> live_;
};

}  // namespace retia::executor
