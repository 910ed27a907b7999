#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "retia/engine/base/json.h"
#include "retia/engine/io/option.h"

namespace retia {

/// The shape of a schedule after the warm-up; see learning_rate.
enum class ScheduleShape { Constant, Cosine, Linear, Step };
NLOHMANN_JSON_SERIALIZE_ENUM(ScheduleShape, {{ScheduleShape::Constant, "constant"},
                                             {ScheduleShape::Cosine, "cosine"},
                                             {ScheduleShape::Linear, "linear"},
                                             {ScheduleShape::Step, "step"}})

/// A list of epochs, at most twenty; a list in JSON. It is stored without the heap, since GCC 12
/// warns about uninitialised memory in deeply nested options otherwise.
class Milestones {
 public:
  Milestones() = default;
  /// Throws where there are more than twenty epochs.
  Milestones(std::initializer_list<int64_t> epochs);
  /// Returns the first epoch of the list, for iteration.
  const int64_t* begin() const { return epochs_.data(); }
  /// Returns the place after the last epoch, for iteration.
  const int64_t* end() const { return begin() + n_; }
  /// Returns whether there is no milestone.
  bool empty() const { return n_ == 0; }

 private:
  friend void from_json(const Json& json, Milestones& milestones);
  void add(int64_t epoch);

  std::array<int64_t, 20> epochs_ = {};
  size_t n_ = 0;
};
/// Writes the epochs as a list of integers.
void to_json(Json& json, const Milestones& milestones);
/// Reads a list of integers. Throws where it has more than twenty.
void from_json(const Json& json, Milestones& milestones);

/// The schedule of a learning rate.
struct ScheduleOptions {
  ScheduleShape shape = ScheduleShape::Cosine;
  double warmup_epochs = 0;     ///< W, ≥ 0; may be fractional
  double warmup_factor = 0.01;  ///< f, the factor of the first step, in [0, 1]
  Milestones milestones = {};   ///< for Step: epochs from which on the rate is reduced
  int64_t step_size = 0;  ///< for Step: number of epochs between reductions; 0: use milestones
  double gamma = 0.1;     ///< for Step: factor of a reduction, > 0
};
inline std::vector<Option> declared(ScheduleOptions& o) {
  return {
      option("shape", o.shape, "shape of the schedule"),
      option("warmup_epochs", o.warmup_epochs, Range{0}, "epochs of warm-up"),
      option("warmup_factor", o.warmup_factor, Range{0, 1}, "factor of the first step"),
      option("milestones", o.milestones, "step: epochs from which on the rate is reduced"),
      option("step_size", o.step_size, Range{0, 1e6},
             "step: epochs between reductions; 0: use milestones"),
      option("gamma", o.gamma, Range::above(0), "step: factor of a reduction"),
  };
}

/// Throws, naming the option after `where`, where one is out of range.
void check_schedule_options(const ScheduleOptions& options, const char* where);

/// Returns the learning rate when `epoch` of `epochs` are trained; `epoch` includes the completed
/// fraction of the current one. `lr`: the rate after the warm-up. `last`: the final rate of cosine
/// and linear. With e the number of whole epochs completed and t = max(0, e - W) / (epochs - W):
///   epoch < W: lr (f + (1 - f) epoch / W), changing from step to step (Goyal et al. 2017),
///   cosine: last + (lr - last) (1 + cos pi t) / 2 (Loshchilov and Hutter, ICLR 2017),
///   linear: lr + (last - lr) t,
///   step: lr gamma^k, where k is the number of milestones ≤ e, or the whole part of e / step_size.
double learning_rate(const ScheduleOptions& options, double lr, double last, double epoch,
                     int64_t epochs);

}  // namespace retia
