#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <vector>

#include "retia/engine/executor/passes.h"
#include "retia/engine/executor/program.h"
#include "retia/engine/executor/schedule.h"

namespace retia::executor {

/// Runs a program: the instructions that the current decisions need, in the order of a schedule.
class Interpreter {
 public:
  /// `lowered`: the program before any pass. It runs as it is until set_passes is called.
  explicit Interpreter(Program lowered);

  /// Runs `passes` over the lowered program and those nested in it; their result runs from now on.
  void set_passes(const std::vector<Pass>& passes);

  /// Runs the program on one tensor per input, `[batch, shape...]`; returns one tensor per output.
  std::vector<at::Tensor> run(at::TensorList inputs);

  /// Returns the program that runs.
  const Program& program() const { return program_; }

 private:
  const Schedule& schedule();

  Program lowered_, program_;
  std::vector<InstructionPtr> all_;  // the instructions and those that they replaced
  std::map<std::vector<int64_t>, Schedule> schedules_;  // key: the decisions that they depend on
};

}  // namespace retia::executor
