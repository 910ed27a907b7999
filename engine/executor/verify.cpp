#include "retia/engine/executor/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace retia::executor {
namespace {

/// Where in a run an instruction comes: its place, and its number among all.
using Position = std::pair<size_t, size_t>;

class Verifier {
 public:
  explicit Verifier(const Program& program)
      : program_(program), written_(program.values.size()), first_written_(program.values.size()) {}

  void run() {
    for (const Value input : program_.inputs) {
      check_index(input, "an input");
      written_[input] = true;
      first_written_[input] = Position(0, 0);
    }
    size_t place = 0;
    for (const InstructionPtr& instruction : program_.instructions) {
      TORCH_CHECK(instruction->place() >= place, name(*instruction), " stands at place ",
                  instruction->place(), " behind an instruction at place ", place);
      place = instruction->place();
      check(*instruction);
      check_replaced(*instruction);
      number(*instruction, place);
    }
    for (const Value output : program_.outputs) {
      check_index(output, "an output");
      TORCH_CHECK(written_[output], "nothing writes '", program_.values[output].name,
                  "', which the program returns");
    }
    for (const auto& [instruction, position] : replaced_) {
      check_reads_of_replaced(*instruction, position);
    }
  }

 private:
  std::string name(const Instruction& instruction) const {
    return c10::str("'", title_of(instruction, program_), "'");
  }

  void check_index(Value value, const std::string& what) const {
    TORCH_CHECK(value < program_.values.size(), what, " of the program is value ", value, " of ",
                program_.values.size());
  }

  void check_indices(const Instruction& instruction) const {
    for (const auto* values : {&instruction.inputs(), &instruction.outputs()}) {
      for (const Value value : *values) {
        check_index(value, "a value of an instruction");
      }
    }
    TORCH_CHECK(!instruction.outputs().empty(), "an instruction of the program writes nothing");
  }

  /// Checks an instruction that no other has replaced.
  void check(const Instruction& instruction) {
    check_indices(instruction);
    for (const Value value : instruction.inputs()) {
      TORCH_CHECK(written_[value], name(instruction), " reads '", program_.values[value].name,
                  "' before it is written");
    }
    for (const Value value : instruction.outputs()) {
      TORCH_CHECK(!written_[value], name(instruction), " writes '", program_.values[value].name,
                  "', which is written already");
      written_[value] = true;
    }
  }

  /// Checks that those replaced write all that the instruction writes, each value once.
  void check_replaced(const Instruction& instruction) const {
    if (instruction.replaced().empty()) {
      return;
    }
    std::vector<bool> written(program_.values.size());
    for (const InstructionPtr& other : instruction.replaced()) {
      check_indices(*other);
      for (const Value value : other->outputs()) {
        TORCH_CHECK(!written[value], "two of those that ", name(instruction), " replaced write '",
                    program_.values[value].name, "'");
        written[value] = true;
      }
      check_replaced(*other);
    }
    for (const Value value : instruction.outputs()) {
      TORCH_CHECK(written[value], name(instruction), " writes '", program_.values[value].name,
                  "', which none of those that it replaced writes");
    }
  }

  /// Numbers an instruction and those it replaced in the order of a run.
  void number(const Instruction& instruction, size_t place) {
    place = std::max(place, instruction.place());
    const Position position = {place, ++n_numbered_};
    for (const Value value : instruction.outputs()) {
      std::optional<Position>& first = first_written_[value];
      first = first ? std::min(*first, position) : position;
    }
    for (const InstructionPtr& other : instruction.replaced()) {
      replaced_.emplace_back(other.get(),
                             Position{std::max(place, other->place()), n_numbered_ + 1});
      number(*other, place);
    }
  }

  void check_reads_of_replaced(const Instruction& instruction, const Position& position) const {
    for (const Value value : instruction.inputs()) {
      TORCH_CHECK(first_written_[value] && *first_written_[value] < position, name(instruction),
                  ", which is replaced, reads '", program_.values[value].name,
                  "' before it is written");
    }
  }

  const Program& program_;
  std::vector<bool> written_;
  std::vector<std::optional<Position>> first_written_;  // also by replaced instructions
  std::vector<std::pair<const Instruction*, Position>> replaced_;
  size_t n_numbered_ = 0;
};

void count(const std::vector<InstructionPtr>& instructions,
           std::map<const Instruction*, int64_t>& found) {
  for (const InstructionPtr& instruction : instructions) {
    ++found[instruction.get()];
    count(instruction->replaced(), found);
  }
}

}  // namespace

void verify(const Program& program) { Verifier(program).run(); }

void verify_kept(const Program& before, const Program& after) {
  TORCH_CHECK(before.inputs == after.inputs && before.outputs == after.outputs,
              "the program has other inputs or outputs than before");
  std::map<const Instruction*, int64_t> expected, found;
  count(before.instructions, expected);
  count(after.instructions, found);
  for (const auto& [instruction, n] : expected) {
    TORCH_CHECK(found[instruction] == 1, "'", title_of(*instruction, before), "' is there ",
                found[instruction],
                " times: a pass keeps each instruction once, in the program or among those that "
                "another replaced");
  }
}

}  // namespace retia::executor
