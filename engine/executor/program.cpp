#include "retia/engine/executor/program.h"

#include <algorithm>

namespace retia::executor {

Work& Work::operator+=(const Work& other) {
  multiply_adds += other.multiply_adds;
  numbers += other.numbers;
  unfused_numbers += other.unfused_numbers;
  return *this;
}

std::vector<at::Tensor> Frame::at(const std::vector<Value>& values) const {
  std::vector<at::Tensor> tensors;
  for (const Value value : values) {
    tensors.push_back(values_[value]);
  }
  return tensors;
}

void Instruction::add_decisions(std::vector<int64_t>&) const {}

bool Instruction::applies_to(const Frame&) const { return true; }

Value Program::add(ValueInfo value) {
  values.push_back(std::move(value));
  return values.size() - 1;
}

void Program::put(InstructionPtr instruction) {
  const std::vector<InstructionPtr>& replaced = instruction->replaced();
  const auto is_replaced = [&](const InstructionPtr& other) {
    return std::find(replaced.begin(), replaced.end(), other) != replaced.end();
  };
  instructions.erase(std::remove_if(instructions.begin(), instructions.end(), is_replaced),
                     instructions.end());
  const auto next = std::find_if(
      instructions.begin(), instructions.end(),
      [&](const InstructionPtr& other) { return other->place() > instruction->place(); });
  instructions.insert(next, std::move(instruction));
}

std::string title_of(const Instruction& instruction, const Program& program) {
  const std::string text = instruction.describe(program);
  return text.substr(0, text.find('\n'));
}

Work cost(const Program& program) {
  Work sum;
  for (const InstructionPtr& instruction : program.instructions) {
    sum += instruction->cost(program);
  }
  return sum;
}

double size_of(const ValueInfo& value) {
  double size = 1;
  for (const int64_t n : value.shape) {
    size *= static_cast<double>(n);
  }
  return size;
}

}  // namespace retia::executor
