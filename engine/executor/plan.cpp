#include "retia/engine/executor/plan.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <set>
#include <sstream>

#include "retia/engine/executor/conv_norm_fusion.h"
#include "retia/engine/executor/mixed_op_fusion.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/ir/lower.h"

namespace retia {
namespace {

/// The work of a forward pass of one sample.
struct Work {
  double multiply_adds = 0;
  double fused_numbers = 0, numbers = 0;  ///< read and written: as planned, and layer by layer

  Work& operator+=(const Work& other) {
    multiply_adds += other.multiply_adds;
    fused_numbers += other.fused_numbers;
    numbers += other.numbers;
    return *this;
  }
};

double size_of(const Step& step) {
  double size = 1;
  for (const int64_t n : step.shape) {
    size *= static_cast<double>(n);
  }
  return size;
}

class PlanWriter {
 public:
  Work write(const Routine& routine, const std::string& prefix) {
    const std::vector<Step>& steps = routine.steps();
    std::set<size_t> inside;
    for (const Step& step : steps) {
      if (step.run) {
        inside.insert(step.run->steps().begin(), step.run->steps().end());
      }
    }
    std::set<size_t> follows;  // edges whose input another has brought in
    for (const Step& step : steps) {
      if (!step.edges.empty()) {
        follows.insert(step.edges.begin() + 1, step.edges.end());
      }
    }
    std::map<size_t, int64_t> n_summed;  // of steps that edges add to, those so far
    Work sum;
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::string path = prefix + steps[i].node.name;
      if (steps[i].run) {
        sum += conv_norm(steps, steps[i], path);
      } else if (steps[i].layer_choice) {
        const bool adds = steps[i].sum && n_summed[*steps[i].sum]++ > 0;
        sum += layer_choice(steps, steps[i], path, follows.count(i) > 0, adds);
      } else if (inside.count(i) == 0 && !std::holds_alternative<ir::Input>(steps[i].node.body)) {
        const auto* operation = std::get_if<ir::Operation>(&steps[i].node.body);
        Work work = alone(steps, steps[i]);
        std::string what = operation != nullptr ? operation->type() : "sum of inputs";
        if (n_summed.count(i) > 0) {  // the sum so far stands for those
          const auto n_others = static_cast<int64_t>(steps[i].inputs.size()) - n_summed[i];
          work.fused_numbers =
              n_others == 0 ? 0 : static_cast<double>(n_others + 2) * size_of(steps[i]);
          what += ", by its edges";
        }
        line(path, what, work);
        sum += work;
      }
    }
    return sum;
  }

  std::string text(const Work& sum) {
    text_ << "total: " << sum.multiply_adds / 1e6 << " M multiply-adds, "
          << 4 * sum.fused_numbers / 1e6 << " MB moved; layer by layer " << 4 * sum.numbers / 1e6
          << " MB\n";
    return text_.str();
  }

 private:
  void line(const std::string& path, const std::string& what, const Work& work) {
    text_ << std::fixed << std::setprecision(3) << std::setw(9) << work.multiply_adds / 1e6
          << std::setw(9) << 4 * work.fused_numbers / 1e6 << std::setw(9) << 4 * work.numbers / 1e6
          << "  " << indent_ << path << ": " << what << '\n';
  }

  /// A step by itself.
  static Work alone(const std::vector<Step>& steps, const Step& step) {
    Work work;
    std::vector<Shape> read;
    for (const size_t input : step.inputs) {
      work.numbers += size_of(steps[input]);
      read.emplace_back(steps[input].shape.begin(), steps[input].shape.end());
    }
    work.numbers += size_of(step);
    work.fused_numbers = work.numbers;
    if (const auto* operation = std::get_if<ir::Operation>(&step.node.body)) {
      const Dim cost = operation->kind().cost(operation->parameters(), read).multiply_adds;
      work.multiply_adds = static_cast<double>(cost.max());
    }
    return work;
  }

  /// Reads its input, writes and reads what is normalised, writes its result.
  Work conv_norm(const std::vector<Step>& steps, const Step& step, const std::string& path) {
    Work work;
    std::string types;
    for (const size_t i : step.run->steps()) {
      work += alone(steps, steps[i]);
      types += ' ' + decided_type(steps[i]);
    }
    const bool is_norm_alone =
        step.run->options().kind == static_cast<int64_t>(kernels::ConvKind::None);
    work.fused_numbers = size_of(steps[step.run->input()]) * (is_norm_alone ? 2 : 1) +
                         size_of(step) * (is_norm_alone ? 1 : 3);
    line(path, "conv_norm of" + types, work);
    return work;
  }

  static bool is_pool(const Branch& branch) {
    if (!branch.routine) {
      return false;
    }
    const std::vector<Step>& steps = branch.routine->steps();
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
      return decided_type(step) == "max_pool2d" || decided_type(step) == "avg_pool2d";
    });
  }

  /// Returns the work of the steps of a candidate, and the number of steps that normalise; adds no
  /// lines.
  static std::pair<Work, int64_t> inside(const Branch& branch) {
    std::pair<Work, int64_t> found;
    for (const Step& step : branch.routine->steps()) {
      if (std::holds_alternative<ir::Operation>(step.node.body)) {
        found.first += alone(branch.routine->steps(), step);
        found.second += decided_type(step) == "batch_norm" ? 1 : 0;
      }
    }
    return found;
  }

  /// Returns the work of a layer choice. `follows`: an earlier sibling has already read its input.
  /// `adds`: the result is added to that of an earlier sibling.
  Work layer_choice(const std::vector<Step>& steps, const Step& step, const std::string& path,
                    bool follows, bool adds) {
    return step.fusion ? mixed_op(steps, step, path, follows, adds) : selection(step, path);
  }

  /// Returns the work of a fused layer choice: each normalised tensor is written and read, the
  /// input is read twice, the result written once. A sibling after the first reads no input again
  /// and writes no pools.
  Work mixed_op(const std::vector<Step>& steps, const Step& step, const std::string& path,
                bool follows, bool adds) {
    Work fused, others;
    std::string names, left;
    for (size_t i = 0; i < step.branches.size(); ++i) {
      const Branch& branch = step.branches[i];
      const std::string& reason = step.fusion->reason(i);
      (reason.empty() ? names : left) += ' ' + branch.name;
      const auto [work, n_norms] = branch.routine ? inside(branch) : std::pair(Work{}, int64_t{0});
      if (!reason.empty()) {
        left += " (" + reason + ')';
        others += work;
        continue;
      }
      fused += work;
      fused.numbers += 3 * size_of(step);  // times its weight, added
      fused.fused_numbers -= work.fused_numbers;
      const bool is_read_only = follows && is_pool(branch);
      fused.fused_numbers += (is_read_only ? 1 : 2) * static_cast<double>(n_norms) * size_of(step);
    }
    fused.fused_numbers +=
        (follows ? 0 : 2) * size_of(steps[step.inputs.front()]) + (adds ? 2 : 1) * size_of(step);
    fused += others;
    line(path, c10::str("mixed_op of stride ", step.fusion->stride(), " of", names), fused);
    if (!left.empty()) {
      text_ << std::string(29, ' ') << indent_ << "  as they are:" << left << '\n';
    }
    return fused;
  }

  /// Returns the work of a choice of one candidate: that of the candidate with the most work; each
  /// candidate has its own plan.
  Work selection(const Step& step, const std::string& path) {
    text_ << std::string(29, ' ') << indent_ << path << ": one of\n";
    Work most;
    indent_ += "  ";
    for (const Branch& branch : step.branches) {
      if (!branch.routine) {
        text_ << std::string(29, ' ') << indent_ << branch.name << ": as it is\n";
        continue;
      }
      const Work work = write(*branch.routine, branch.name + "/");
      most = work.multiply_adds > most.multiply_adds ? work : most;
    }
    indent_.resize(indent_.size() - 2);
    return most;
  }

  std::ostringstream text_;
  std::string indent_;
};

}  // namespace

std::string plan_of(const ir::Graph& supernet) {
  const ir::Graph lowered = ir::lower(supernet);
  std::vector<Shape> inputs;
  for (const ir::Node* input : lowered.inputs()) {
    inputs.push_back(std::get<ir::Input>(input->body).shape);
  }
  Routine routine(lowered, inputs, "", [](const auto&...) {});
  routine.set_executor(Executor::Fused);
  PlanWriter writer;
  const Work sum = writer.write(routine, "");
  return " M mult.  MB moved  unfused  operation\n" + writer.text(sum);
}

}  // namespace retia
