#include "retia/engine/executor/explain.h"

#include <iomanip>
#include <sstream>

#include "retia/engine/executor/interpreter.h"

namespace retia::executor {
namespace {

constexpr size_t kNumbersWidth = 29;

class Explanation {
 public:
  void write(const Program& program, const std::string& prefix) {
    for (const InstructionPtr& instruction : program.instructions) {
      const std::vector<Instruction::Nested> nested = instruction->nested();
      if (nested.empty()) {
        numbers(instruction->cost(program));
      } else {
        text_ << std::string(kNumbersWidth, ' ');
      }
      text_ << indent_ << prefix << title_of(*instruction, program) << '\n';
      indent_ += "  ";
      details(*instruction, program);
      write_nested(nested);
      write_replaced(*instruction, program);
      indent_.resize(indent_.size() - 2);
    }
  }

  std::string text(const Work& sum) {
    text_ << "total: " << sum.multiply_adds / 1e6 << " M multiply-adds, " << 4 * sum.numbers / 1e6
          << " MB moved; layer by layer " << 4 * sum.unfused_numbers / 1e6 << " MB\n";
    return text_.str();
  }

 private:
  void numbers(const Work& work) {
    text_ << std::fixed << std::setprecision(3) << std::setw(9) << work.multiply_adds / 1e6
          << std::setw(9) << 4 * work.numbers / 1e6 << std::setw(9)
          << 4 * work.unfused_numbers / 1e6 << "  ";
  }

  void line(const std::string& text) {
    text_ << std::string(kNumbersWidth, ' ') << indent_ << text << '\n';
  }

  /// Writes the lines of a description after the first.
  void details(const Instruction& instruction, const Program& program) {
    std::istringstream all(instruction.describe(program));
    std::string one;
    for (std::getline(all, one); std::getline(all, one);) {
      line(one);
    }
  }

  void write_nested(const std::vector<Instruction::Nested>& nested) {
    for (const auto& [name, interpreter] : nested) {
      if (interpreter) {
        write(interpreter->program(), name + "/");
      } else {
        line(name + ": as it is");
      }
    }
  }

  /// Writes what runs where the instruction does not, one line a level.
  void write_replaced(const Instruction& instruction, const Program& program) {
    if (!instruction.condition().empty()) {
      line("where " + instruction.condition());
    }
    std::vector<InstructionPtr> level = instruction.replaced();
    while (!level.empty()) {
      std::string titles;
      std::vector<InstructionPtr> next;
      for (const InstructionPtr& other : level) {
        titles += (titles.empty() ? "" : "; ") + title_of(*other, program);
        next.insert(next.end(), other->replaced().begin(), other->replaced().end());
      }
      line("else " + titles);
      level = std::move(next);
    }
  }

  std::ostringstream text_;
  std::string indent_;
};

}  // namespace

std::string explain(const Program& program) {
  Explanation explanation;
  explanation.write(program, "");
  return " M mult.  MB moved  unfused  operation\n" + explanation.text(cost(program));
}

}  // namespace retia::executor
