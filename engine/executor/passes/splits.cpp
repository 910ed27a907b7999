#include "retia/engine/executor/passes/splits.h"

#include <ATen/ops/unsafe_split_with_sizes.h>

#include <map>

#include "retia/engine/executor/recognition.h"
#include "retia/engine/operations/split_layer.h"

namespace retia::executor {
namespace {

const SplitLayer* split_of(const Instruction& instruction) {
  const LayerInstruction* const layer = as_layer(instruction);
  return layer != nullptr ? dynamic_cast<const SplitLayer*>(layer->layer().get()) : nullptr;
}

/// Cuts a value into all parts that its splits make.
class Splits final : public Instruction {
 public:
  struct Part {
    int64_t begin, size;
    Value made;
  };

  /// `parts`: in order, without overlap.
  Splits(Slot slot, std::vector<Part> parts)
      : Instruction(std::move(slot)), parts_(std::move(parts)) {}

  bool may_refuse() const override { return false; }

  void run(Frame& frame) const override {
    const at::Tensor& x = frame[inputs().front()];
    std::vector<int64_t> sizes;
    std::vector<const Part*> cuts;  // per size the part; null: none
    int64_t end = 0;
    for (const Part& part : parts_) {
      if (part.begin > end) {
        sizes.push_back(part.begin - end);
        cuts.push_back(nullptr);
      }
      sizes.push_back(part.size);
      cuts.push_back(&part);
      end = part.begin + part.size;
    }
    if (end < x.size(1)) {
      sizes.push_back(x.size(1) - end);
      cuts.push_back(nullptr);
    }
    const std::vector<at::Tensor> made = at::unsafe_split_with_sizes(x, sizes, 1);
    for (size_t k = 0; k < made.size(); ++k) {
      if (cuts[k] != nullptr && frame.is_live(cuts[k]->made)) {
        frame[cuts[k]->made] = made[k];
      }
    }
  }

  std::string describe(const Program& program) const override {
    std::string text = program.values[inputs().front()].name + ": split into";
    for (const Part& part : parts_) {
      text += ' ' + program.values[part.made].name;
    }
    return text;
  }

  Work cost(const Program& program) const override {
    Work sum;
    for (const InstructionPtr& split : replaced()) {
      sum += split->cost(program);
    }
    return sum;
  }

 private:
  std::vector<Part> parts_;
};

/// Returns the splits of one value as one instruction; null where they are one or overlap.
InstructionPtr shared(const std::vector<InstructionPtr>& splits) {
  std::map<int64_t, Splits::Part> parts;  // by the channel where they begin
  Instruction::Slot slot{
      .place = splits.front()->place(), .inputs = splits.front()->inputs(), .replaced = splits};
  for (const InstructionPtr& instruction : splits) {
    const SplitLayer& split = *split_of(*instruction);
    const Value made = instruction->outputs().front();
    parts.emplace(split.begin(), Splits::Part{split.begin(), split.size(), made});
    slot.outputs.push_back(made);
  }
  std::vector<Splits::Part> in_order;
  int64_t end = 0;
  for (const auto& [begin, part] : parts) {
    if (begin < end) {
      return nullptr;
    }
    end = begin + part.size;
    in_order.push_back(part);
  }
  const bool is_shared = splits.size() > 1 && parts.size() == splits.size();
  return is_shared ? std::make_shared<Splits>(std::move(slot), std::move(in_order)) : nullptr;
}

}  // namespace

Program share_splits(Program program) {
  std::map<Value, std::vector<InstructionPtr>> splits;  // by what they split
  for (const InstructionPtr& instruction : program.instructions) {
    if (split_of(*instruction) != nullptr) {
      splits[instruction->inputs().front()].push_back(instruction);
    }
  }
  for (const auto& [value, parts] : splits) {
    if (auto instruction = shared(parts)) {
      program.put(std::move(instruction));
    }
  }
  return program;
}

}  // namespace retia::executor
