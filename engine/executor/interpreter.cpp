#include "retia/engine/executor/interpreter.h"

#include "retia/engine/executor/verify.h"

namespace retia::executor {
namespace {

constexpr size_t kMostSchedules = 256;

/// Adds to `all` each of `instructions` and of those that they replaced.
void collect(const std::vector<InstructionPtr>& instructions, std::vector<InstructionPtr>& all) {
  for (const InstructionPtr& instruction : instructions) {
    all.push_back(instruction);
    collect(instruction->replaced(), all);
  }
}

}  // namespace

Interpreter::Interpreter(Program lowered) : lowered_(std::move(lowered)) {
  verify(lowered_);
  set_passes({});
}

void Interpreter::set_passes(const std::vector<Pass>& passes) {
  for (const InstructionPtr& instruction : lowered_.instructions) {
    for (const Instruction::Nested& nested : instruction->nested()) {
      if (nested.interpreter) {
        nested.interpreter->set_passes(passes);
      }
    }
  }
  program_ = run_passes(lowered_, passes);
  all_.clear();
  collect(program_.instructions, all_);
  schedules_.clear();
}

const Schedule& Interpreter::schedule() {
  std::vector<int64_t> key = chosen_by(program_.sizes);
  for (const InstructionPtr& instruction : all_) {
    instruction->add_decisions(key);
  }
  const auto found = schedules_.find(key);
  if (found != schedules_.end()) {
    return found->second;
  }
  if (schedules_.size() >= kMostSchedules) {
    schedules_.clear();
  }
  return schedules_.emplace(std::move(key), Schedule(program_)).first->second;
}

std::vector<at::Tensor> Interpreter::run(at::TensorList inputs) {
  TORCH_CHECK(inputs.size() == program_.inputs.size(), "expected ", program_.inputs.size(),
              " inputs, got ", inputs.size());
  const Schedule& now = schedule();
  Frame frame(now.live(), inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    frame[program_.inputs[i]] = inputs[i];
  }
  std::vector<bool> is_done(now.entries().size());
  for (size_t k = 0; k < now.entries().size(); ++k) {
    const Schedule::Entry& entry = now.entries()[k];
    const Instruction& instruction = *entry.instruction;
    is_done[k] = entry.stands_in_for && is_done[*entry.stands_in_for];
    if (!is_done[k] && (!entry.stands_in_for || instruction.applies()) &&
        instruction.applies_to(frame)) {
      instruction.run(frame);
      is_done[k] = true;
      for (const Value value : entry.drop_if_run) {
        frame[value].reset();
      }
    }
    for (const Value value : entry.drop) {
      frame[value].reset();
    }
  }
  return frame.at(program_.outputs);
}

}  // namespace retia::executor
