#include "retia/engine/executor/instructions.h"

#include <utility>

#include "retia/engine/executor/interpreter.h"
#include "retia/engine/mutables/base_mutator.h"

namespace retia::executor {
namespace {

// What ends each choice's part of a key; no index is negative.
constexpr int64_t kEndOfChoice = -1;
constexpr int64_t kAllNeeded = -2;

/// Returns the work of an instruction that reads its inputs and writes its outputs, each once.
Work of_reading_and_writing(const Instruction& instruction, const Program& program) {
  Work work;
  for (const auto* values : {&instruction.inputs(), &instruction.outputs()}) {
    for (const Value value : *values) {
      work.numbers += size_of(program.values[value]);
    }
  }
  work.unfused_numbers = work.numbers;
  return work;
}

}  // namespace

const Verdict* verdict_of(const MutableModule& choice) {
  return choice.mutator().verdict(choice.info());
}

void LayerInstruction::run(Frame& frame) const {
  frame[outputs().front()] = layer_->forward(frame.at(inputs()));
}

std::string LayerInstruction::describe(const Program& program) const {
  return program.values[outputs().front()].name + ": " + operation_.type();
}

Work LayerInstruction::cost(const Program& program) const {
  Work work = of_reading_and_writing(*this, program);
  std::vector<Shape> read;
  for (const Value input : inputs()) {
    const std::vector<int64_t>& shape = program.values[input].shape;
    read.emplace_back(shape.begin(), shape.end());
  }
  const Dim multiply_adds = operation_.kind().cost(operation_.parameters(), read).multiply_adds;
  work.multiply_adds = static_cast<double>(multiply_adds.max());
  return work;
}

void LayerChoiceInstruction::run(Frame& frame) const {
  frame[outputs().front()] = choice_->forward(frame.at(inputs()));
}

std::string LayerChoiceInstruction::describe(const Program& program) const {
  return program.values[outputs().front()].name + ": one of";
}

Work LayerChoiceInstruction::cost(const Program&) const {
  const auto size = [](const Work& work) {
    return std::pair(work.multiply_adds, work.unfused_numbers);
  };
  Work most;
  for (const Branch& branch : branches_) {
    const Work work =
        executor::cost(branch.interpreter ? branch.interpreter->program() : branch.program);
    most = size(work) > size(most) ? work : most;
  }
  return most;
}

std::vector<Instruction::Nested> LayerChoiceInstruction::nested() const {
  std::vector<Nested> all;
  for (const Branch& branch : branches_) {
    all.push_back({branch.name, branch.interpreter});
  }
  return all;
}

std::vector<Value> InputChoiceInstruction::needed() const {
  const Verdict* const verdict = verdict_of(*choice_);
  if (verdict == nullptr) {
    return inputs();
  }
  std::vector<Value> chosen;
  for (const int64_t index : verdict->chosen) {
    chosen.push_back(inputs().at(static_cast<size_t>(index)));
  }
  return chosen;
}

void InputChoiceInstruction::add_decisions(std::vector<int64_t>& key) const {
  const Verdict* const verdict = verdict_of(*choice_);
  if (verdict != nullptr) {
    key.insert(key.end(), verdict->chosen.begin(), verdict->chosen.end());
  }
  key.push_back(verdict != nullptr ? kEndOfChoice : kAllNeeded);
}

void InputChoiceInstruction::run(Frame& frame) const {
  const Verdict* const verdict = verdict_of(*choice_);
  at::Tensor& made = frame[outputs().front()];
  if (verdict == nullptr || !verdict->chosen.empty()) {
    made = choice_->forward(frame.at(inputs()));
    return;
  }
  const at::Tensor& like = frame.inputs()[0];
  std::vector<int64_t> sizes = made_.shape;
  if (made_.channels) {
    sizes.front() = made_.channels->sizes().front();
  }
  sizes.insert(sizes.begin(), like.size(0));
  made = like.new_zeros(sizes);
}

std::string InputChoiceInstruction::describe(const Program& program) const {
  return program.values[outputs().front()].name + ": sum of inputs";
}

Work InputChoiceInstruction::cost(const Program& program) const {
  return of_reading_and_writing(*this, program);
}

}  // namespace retia::executor
