#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "engine/json.h"

namespace retia {

enum class ScheduleShape { Constant, Cosine, Linear, Step };
NLOHMANN_JSON_SERIALIZE_ENUM(ScheduleShape, {{ScheduleShape::Constant, "constant"},
                                             {ScheduleShape::Cosine, "cosine"},
                                             {ScheduleShape::Linear, "linear"},
                                             {ScheduleShape::Step, "step"}})

/// Epochs, at most twenty; a list in JSON. Nothing on the heap: of options deep within others GCC
/// 12 takes that for uninitialised.
class Milestones {
 public:
  Milestones() = default;
  Milestones(std::initializer_list<int64_t> epochs);
  const int64_t* begin() const { return epochs_.data(); }
  const int64_t* end() const { return begin() + n_; }
  bool empty() const { return n_ == 0; }

 private:
  friend void from_json(const Json& json, Milestones& milestones);
  void add(int64_t epoch);

  std::array<int64_t, 20> epochs_ = {};
  size_t n_ = 0;
};
void to_json(Json& json, const Milestones& milestones);
void from_json(const Json& json, Milestones& milestones);

/// How a learning rate goes over a training.
struct ScheduleOptions {
  ScheduleShape shape = ScheduleShape::Cosine;
  double warmup_epochs = 0;     ///< W, ≥ 0; may be a part of one
  double warmup_factor = 0.01;  ///< f of the first step, 0 to 1
  Milestones milestones = {};   ///< step: epochs before which the rate falls
  int64_t step_size = 0;        ///< step: it falls each time after so many; 0: milestones
  double gamma = 0.1;           ///< step: its factor then, > 0
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ScheduleOptions, shape, warmup_epochs,
                                                warmup_factor, milestones, step_size, gamma)

/// Throws, naming it after `where`, where an option is out of its range.
void check_schedule_options(const ScheduleOptions& options, const char* where);

/// The learning rate when `epoch` (with its part that is done) of `epochs` are trained. `lr` is the
/// one after the warm-up, `last` what cosine and linear end at. With e the whole epochs done, and
/// t = max(0, e - W) / (epochs - W),
///   epoch < W: lr (f + (1 - f) epoch / W), from step to step (Goyal et al. 2017),
///   cosine: last + (lr - last) (1 + cos pi t) / 2 (Loshchilov and Hutter, ICLR 2017),
///   linear: lr + (last - lr) t,
///   step: lr gamma^k, k being the milestones ≤ e, or the whole part of e / step_size.
double learning_rate(const ScheduleOptions& options, double lr, double last, double epoch,
                     int64_t epochs);

}  // namespace retia
