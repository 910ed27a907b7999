#include "retia/engine/executor/passes/summed_edges.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <map>
#include <optional>

namespace retia::executor {
namespace {

/// Adds an edge to a sum so far, or begins the sum with it.
class AddToSum final : public Instruction {
 public:
  using Instruction::Instruction;

  void run(Frame& frame) const override {
    at::Tensor sum = frame[inputs().front()];
    for (size_t i = 1; i < inputs().size(); ++i) {
      sum = sum + frame[inputs()[i]];
    }
    frame[outputs().front()] = std::move(sum);
  }

  std::string describe(const Program& program) const override {
    return program.values[outputs().front()].name + ": sum so far";
  }

  Work cost(const Program& program) const override {
    const double size = size_of(program.values[outputs().front()]);
    const double n = inputs().size() > 1 ? static_cast<double>(inputs().size()) + 1 : 0;
    return {.numbers = n * size, .unfused_numbers = n * size};
  }
};

/// The rest of a node that sums edges: the sum so far and what else is added to it.
class RestOfSum final : public Instruction {
 public:
  /// `choice`: the input choice that the node is; null: the node always sums all its inputs.
  RestOfSum(Slot slot, std::shared_ptr<InputChoiceImpl> choice)
      : Instruction(std::move(slot)), choice_(std::move(choice)) {}

  void add_decisions(std::vector<int64_t>& key) const override {
    if (choice_) {
      key.push_back(applies() ? 1 : 0);
    }
  }

  bool applies() const override {
    const Verdict* const verdict = choice_ ? verdict_of(*choice_) : nullptr;
    return !choice_ ||
           (verdict != nullptr && !verdict->weights.defined() &&
            static_cast<int64_t>(verdict->chosen.size()) == choice_->info().n_candidates());
  }
  bool may_refuse() const override { return false; }

  void run(Frame& frame) const override {
    at::Tensor sum = std::move(frame[inputs().front()]);
    for (size_t i = 1; i < inputs().size(); ++i) {
      sum = sum + frame[inputs()[i]];
    }
    frame[outputs().front()] = std::move(sum);
  }

  std::string describe(const Program& program) const override {
    return program.values[outputs().front()].name + ": sum of inputs, by its edges";
  }

  std::string condition() const override {
    return choice_ ? "all inputs are chosen, without weights" : "";
  }

  /// The sum so far stands for the edges.
  Work cost(const Program& program) const override {
    const double size = size_of(program.values[outputs().front()]);
    Work work = replaced().front()->cost(program);
    const auto n_others = static_cast<double>(inputs().size() - 1);
    work.numbers = n_others == 0 ? 0 : (n_others + 2) * size;
    return work;
  }

 private:
  std::shared_ptr<InputChoiceImpl> choice_;
};

/// Returns whether an instruction sums all its inputs, or all chosen ones.
bool adds_all(const Program& program, const Instruction& instruction) {
  const auto* const choice = dynamic_cast<const InputChoiceInstruction*>(&instruction);
  return choice != nullptr ? choice->choice()->reduction() == Reduction::Sum
                           : decided_type(program, instruction) == "add";
}

/// The sums that edges are added to, and the rewriting of who reads and writes them.
class Summation {
 public:
  Summation(Program& program, const std::vector<MixedOpsPtr>& all)
      : program_(program), uses_(uses_of(program)), before_(program.instructions) {
    for (const MixedOpsPtr& instruction : all) {
      rewrite(*instruction, instruction);
    }
    for (const auto& [reader, sum] : sums_) {
      finish(before_[reader], sum);
    }
  }

 private:
  /// A node that sums: its sum so far, and the edges in it.
  struct Sum {
    Value so_far;
    std::vector<Value> edges;
  };

  /// Returns the number of the summing instruction that alone reads `edge`; none: there is none.
  std::optional<size_t> reader_of(Value edge) const {
    const std::vector<size_t>& readers = uses_.readers[edge];
    const bool is_summed = readers.size() == 1 && readers.front() < before_.size() &&
                           adds_all(program_, *before_[readers.front()]);
    return is_summed ? std::optional(readers.front()) : std::nullopt;
  }

  void rewrite(const MixedOps& instruction, const MixedOpsPtr& pointer) {
    Instruction::Slot slot{.place = instruction.place(), .inputs = {instruction.x()}};
    std::vector<BlendedEdge> edges = instruction.edges();
    std::vector<InstructionPtr> additions;
    std::vector<size_t> seen;  // readers of this instruction's edges: one call adds to a sum once
    for (BlendedEdge& edge : edges) {
      const std::optional<size_t> reader = reader_of(edge.made);
      if (reader && std::find(seen.begin(), seen.end(), *reader) == seen.end()) {
        seen.push_back(*reader);
        additions.push_back(add(edge, *reader));
        if (edge.onto) {
          slot.inputs.push_back(*edge.onto);
        }
      }
      slot.outputs.push_back(edge.made);
    }
    if (additions.empty()) {
      return;
    }
    slot.replaced = {pointer};
    slot.replaced.insert(slot.replaced.end(), additions.begin(), additions.end());
    program_.put(std::make_shared<MixedOps>(std::move(slot), std::move(edges)));
  }

  /// Lets `edge` be added to the sum of `reader`. Returns the instruction that adds it otherwise.
  InstructionPtr add(BlendedEdge& edge, size_t reader) {
    const Value own = edge.made;
    edge.made = program_.add(program_.values[before_[reader]->outputs().front()]);
    Instruction::Slot slot{.place = edge.choice->instruction->place(), .outputs = {edge.made}};
    const auto found = sums_.find(reader);
    if (found != sums_.end()) {
      edge.onto = found->second.so_far;
      slot.inputs.push_back(*edge.onto);
    }
    slot.inputs.push_back(own);
    Sum& sum = sums_[reader];
    sum.so_far = edge.made;
    sum.edges.push_back(own);
    return std::make_shared<AddToSum>(std::move(slot));
  }

  void finish(const InstructionPtr& node, const Sum& sum) {
    Instruction::Slot slot{node->place(), {sum.so_far}, node->outputs(), {node}};
    for (const Value input : node->inputs()) {
      if (std::find(sum.edges.begin(), sum.edges.end(), input) == sum.edges.end()) {
        slot.inputs.push_back(input);
      }
    }
    const auto* const choice = dynamic_cast<const InputChoiceInstruction*>(node.get());
    program_.put(std::make_shared<RestOfSum>(std::move(slot),
                                             choice != nullptr ? choice->choice() : nullptr));
  }

  Program& program_;
  const Uses uses_;
  const std::vector<InstructionPtr> before_;
  std::map<size_t, Sum> sums_;  // by the number of the instruction that sums
};

}  // namespace

void sum_edges(Program& program, const std::vector<MixedOpsPtr>& all) { Summation(program, all); }

}  // namespace retia::executor
