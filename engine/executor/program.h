#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "retia/engine/operations/shared_axes.h"

/// Programs, i.e. graphs as lists of instructions. passes.h has what rewrites them.
namespace retia::executor {

class Instruction;
class Interpreter;
struct Program;

/// A value of a program, as an index into Program::values.
using Value = size_t;

/// Programs share their instructions, which never change.
using InstructionPtr = std::shared_ptr<const Instruction>;

/// The facts about a value that hold for every run.
struct ValueInfo {
  std::string name;                           ///< name of the node that the value stands for
  std::vector<int64_t> shape = {};            ///< its largest shape, without the batch dimension
  std::shared_ptr<SharedAxes> channels = {};  ///< set where the number of channels is a choice
};

/// The work of instructions in a forward pass of one sample.
struct Work {
  double multiply_adds = 0;    ///< MACs
  double numbers = 0;          ///< numbers read and written
  double unfused_numbers = 0;  ///< numbers read and written when run layer by layer

  /// Adds the work of other instructions.
  Work& operator+=(const Work& other);
};

/// The tensors of one run of a program.
class Frame {
 public:
  /// `live`: per value, whether the run needs it; outlives the frame. `inputs`: the inputs of the
  /// program.
  Frame(const std::vector<bool>& live, at::TensorList inputs)
      : live_(live), inputs_(inputs), values_(live.size()) {}

  /// Returns the tensor of a value, to be read or written; undefined before it is written.
  at::Tensor& operator[](Value value) { return values_[value]; }
  /// Returns the tensor of a value, to be read; undefined before it is written.
  const at::Tensor& operator[](Value value) const { return values_[value]; }
  /// Returns the tensors of several values, in their order.
  std::vector<at::Tensor> at(const std::vector<Value>& values) const;

  /// Returns whether the run needs a value.
  bool is_live(Value value) const { return live_[value]; }
  /// Returns the inputs of the program, one per entry of Program::inputs.
  at::TensorList inputs() const { return inputs_; }

 private:
  const std::vector<bool>& live_;
  at::TensorList inputs_;
  std::vector<at::Tensor> values_;
};

/// One step of a program: reads values, writes values. An instruction may stand for others, which
/// it keeps: where it does not apply, these run instead.
class Instruction {
 public:
  /// The position of an instruction in a program, and the values that it reads and writes.
  struct Slot {
    /// Programs run in the order of places. The place of an instruction that stands for one node is
    /// the value of that node.
    size_t place = 0;
    std::vector<Value> inputs = {};   ///< values that it reads
    std::vector<Value> outputs = {};  ///< values that it writes
    /// The instructions that this one stands for, in order. Each runs at its own place or, where
    /// that comes earlier, at the place of this one.
    std::vector<InstructionPtr> replaced = {};
  };

  /// Makes an instruction for `slot`; Program::put puts it there.
  explicit Instruction(Slot slot) : slot_(std::move(slot)) {}
  virtual ~Instruction() = default;
  Instruction(const Instruction&) = delete;
  Instruction& operator=(const Instruction&) = delete;

  /// Returns the number by which programs order their instructions, see Slot::place.
  size_t place() const { return slot_.place; }
  /// Returns the values that the instruction may read.
  const std::vector<Value>& inputs() const { return slot_.inputs; }
  /// Returns the values that the instruction writes.
  const std::vector<Value>& outputs() const { return slot_.outputs; }
  /// Returns the instructions that run where this one does not apply.
  const std::vector<InstructionPtr>& replaced() const { return slot_.replaced; }

  /// Returns the inputs that the current decisions need.
  virtual std::vector<Value> needed() const { return inputs(); }

  /// Adds to `key` what needed() and applies() depend on, such that equal keys mean equal answers;
  /// nothing where they never change.
  virtual void add_decisions(std::vector<int64_t>& key) const;

  /// Returns whether the current decisions and the modes of the modules let this instruction run
  /// instead of the instructions that it replaced.
  virtual bool applies() const { return true; }

  /// Returns whether this instruction can run on the tensors in `frame`; called where it applies
  /// and its inputs are there.
  virtual bool applies_to(const Frame& frame) const;

  /// Returns whether applies_to() may return false; where not, nothing is kept for that case.
  virtual bool may_refuse() const { return true; }

  /// Writes the live outputs.
  virtual void run(Frame& frame) const = 0;

  /// Returns one line that says what the instruction computes; further lines say more.
  virtual std::string describe(const Program& program) const = 0;

  /// Returns the conditions of applies() and applies_to() in words; empty where there are none.
  virtual std::string condition() const { return {}; }

  /// Returns the work of the instruction at the largest sizes of its values.
  virtual Work cost(const Program& program) const = 0;

  /// A program inside of an instruction: a candidate of a layer choice.
  struct Nested {
    std::string name;                          ///< name of the candidate
    std::shared_ptr<Interpreter> interpreter;  ///< runs the program
  };
  /// Returns the programs inside of the instruction; none by default.
  virtual std::vector<Nested> nested() const { return {}; }

 private:
  Slot slot_;
};

/// A lowered graph as a list of instructions. A value: passes take one and return another.
struct Program {
  std::vector<ValueInfo> values;             ///< all values; a Value is an index into this list
  std::vector<Value> inputs;                 ///< values that the caller of the program gives
  std::vector<Value> outputs;                ///< values that the program returns
  std::vector<InstructionPtr> instructions;  ///< in the order of their places
  ValueChoices sizes = {};                   ///< the choices that decide shapes of values

  /// Adds a value that no instruction reads or writes yet, and returns its index.
  Value add(ValueInfo value);

  /// Puts `instruction` into its place, and takes out what it replaced.
  void put(InstructionPtr instruction);
};

/// Returns the first line of the description of `instruction`, an instruction of `program`.
std::string title_of(const Instruction& instruction, const Program& program);

/// Returns the work of all instructions of `program`.
Work cost(const Program& program);

/// Returns how many numbers a value has at its largest.
double size_of(const ValueInfo& value);

}  // namespace retia::executor
