#pragma once

#include <ATen/TensorOperators.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// The answers of a FakeInstruction and what it has done; tests change them between runs.
struct FakeState {
  bool applies = true, applies_to = true, may_refuse = true;
  int64_t n_runs = 0;
};

/// Writes to each live output the sum of its inputs plus one.
class FakeInstruction final : public Instruction {
 public:
  FakeInstruction(std::string name, Slot slot)
      : Instruction(std::move(slot)), name_(std::move(name)) {}

  const std::shared_ptr<FakeState>& state() const { return state_; }

  void add_decisions(std::vector<int64_t>& key) const override {
    key.push_back(state_->applies ? 1 : 0);
  }
  bool applies() const override { return state_->applies; }
  bool applies_to(const Frame& frame) const override {
    return state_->applies_to && frame[inputs().front()].defined();
  }
  bool may_refuse() const override { return state_->may_refuse; }
  void run(Frame& frame) const override {
    ++state_->n_runs;
    at::Tensor sum = frame[inputs().front()] + 1;
    for (size_t i = 1; i < inputs().size(); ++i) {
      sum = sum + frame[inputs()[i]];
    }
    for (const Value output : outputs()) {
      if (frame.is_live(output)) {
        frame[output] = sum;
      }
    }
  }
  std::string describe(const Program&) const override { return name_ + "\nmore of " + name_; }
  Work cost(const Program&) const override { return {1, 2, 3}; }

 private:
  std::string name_;
  std::shared_ptr<FakeState> state_ = std::make_shared<FakeState>();
};

inline std::shared_ptr<const FakeInstruction> fake(const std::string& name,
                                                   Instruction::Slot slot) {
  return std::make_shared<const FakeInstruction>(name, std::move(slot));
}

/// A program of `n_values` values of one number: the first is its input, the last its output.
inline Program fake_program(size_t n_values, std::vector<InstructionPtr> instructions) {
  Program program;
  program.inputs = {0};
  program.outputs = {n_values - 1};
  for (size_t i = 0; i < n_values; ++i) {
    program.add({.name = c10::str("v", i), .shape = {1}});
  }
  program.instructions = std::move(instructions);
  return program;
}

/// v0 → a → v1 → b → v2 → c → v3.
inline Program chain_of_three() {
  return fake_program(
      4, {fake("a", {1, {0}, {1}}), fake("b", {2, {1}, {2}}), fake("c", {3, {2}, {3}})});
}

}  // namespace retia::executor
