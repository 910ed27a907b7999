#pragma once

#include <memory>
#include <string>
#include <vector>

#include "retia/engine/executor/program.h"
#include "retia/engine/mutables/input_choice.h"
#include "retia/engine/mutables/layer.h"
#include "retia/engine/mutables/layer_choice.h"
#include "retia/engine/operations/operation.h"

namespace retia::executor {

// The instructions of a program that no pass has changed.

/// Runs the layer of a primitive.
class LayerInstruction final : public Instruction {
 public:
  LayerInstruction(Slot slot, ir::Operation operation, std::shared_ptr<Layer> layer)
      : Instruction(std::move(slot)), operation_(std::move(operation)), layer_(std::move(layer)) {}

  const ir::Operation& operation() const { return operation_; }
  const std::shared_ptr<Layer>& layer() const { return layer_; }

  void run(Frame& frame) const override;
  std::string describe(const Program& program) const override;
  Work cost(const Program& program) const override;

 private:
  ir::Operation operation_;
  std::shared_ptr<Layer> layer_;
};

/// A candidate of a layer choice as a program: of one instruction where it is a primitive.
struct Branch {
  std::string name;
  Program program;                           ///< as lowered, without passes
  std::shared_ptr<Interpreter> interpreter;  ///< runs the candidate; null: a primitive
};

/// Runs a layer choice: the chosen candidates.
class LayerChoiceInstruction final : public Instruction {
 public:
  LayerChoiceInstruction(Slot slot, std::shared_ptr<LayerChoiceImpl> choice,
                         std::vector<Branch> branches)
      : Instruction(std::move(slot)), choice_(std::move(choice)), branches_(std::move(branches)) {}

  const std::shared_ptr<LayerChoiceImpl>& choice() const { return choice_; }
  const std::vector<Branch>& branches() const { return branches_; }  ///< candidates, in order

  void run(Frame& frame) const override;
  std::string describe(const Program& program) const override;
  /// Returns the work of the candidate with the most multiply-adds, of equals the one that reads and
  /// writes most.
  Work cost(const Program& program) const override;
  std::vector<Nested> nested() const override;

 private:
  std::shared_ptr<LayerChoiceImpl> choice_;
  std::vector<Branch> branches_;
};

/// Runs an input choice: joins the chosen inputs, the only ones that it needs.
class InputChoiceInstruction final : public Instruction {
 public:
  /// `made`: the value that the instruction writes.
  InputChoiceInstruction(Slot slot, std::shared_ptr<InputChoiceImpl> choice, ValueInfo made)
      : Instruction(std::move(slot)), choice_(std::move(choice)), made_(std::move(made)) {}

  const std::shared_ptr<InputChoiceImpl>& choice() const { return choice_; }

  std::vector<Value> needed() const override;
  void add_decisions(std::vector<int64_t>& key) const override;
  void run(Frame& frame) const override;
  std::string describe(const Program& program) const override;
  Work cost(const Program& program) const override;

 private:
  std::shared_ptr<InputChoiceImpl> choice_;
  ValueInfo made_;
};

/// Returns the verdict on `choice` in the current pass; null: its mutator runs it itself.
const Verdict* verdict_of(const MutableModule& choice);

}  // namespace retia::executor
