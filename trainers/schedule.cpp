#include "retia/trainers/schedule.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retia {

Milestones::Milestones(std::initializer_list<int64_t> epochs) {
  for (const int64_t epoch : epochs) {
    add(epoch);
  }
}

void Milestones::add(int64_t epoch) {
  TORCH_CHECK(n_ < epochs_.size(), "a schedule has at most ", epochs_.size(), " milestones");
  epochs_[n_++] = epoch;
}

void to_json(Json& json, const Milestones& milestones) {
  json = Json::array();
  for (const int64_t epoch : milestones) {
    json.push_back(epoch);
  }
}

void from_json(const Json& json, Milestones& milestones) {
  milestones = {};
  for (const Json& epoch : json) {
    milestones.add(epoch.get<int64_t>());
  }
}

void check_schedule_options(const ScheduleOptions& o, const char* where) {
  check_declared(o, where);
  TORCH_CHECK(std::is_sorted(o.milestones.begin(), o.milestones.end()), where,
              ": milestones must ascend");
  const bool falls = o.step_size > 0 || !o.milestones.empty();
  TORCH_CHECK(falls == (o.shape == ScheduleShape::Step), where,
              o.shape == ScheduleShape::Step ? ": shape step needs milestones or a step_size"
                                             : ": milestones and step_size are of shape step");
  TORCH_CHECK(o.step_size == 0 || o.milestones.empty(), where,
              ": give either milestones or step_size");
}

double learning_rate(const ScheduleOptions& o, double lr, double last, double epoch,
                     int64_t epochs) {
  const double warmup = o.warmup_epochs;
  if (epoch < warmup) {
    return lr * (o.warmup_factor + (1 - o.warmup_factor) * epoch / warmup);
  }
  const double done = std::floor(epoch);
  const double left = static_cast<double>(epochs) - warmup;
  const double t = left > 0 ? std::max(0.0, done - warmup) / left : 0;
  switch (o.shape) {
    case ScheduleShape::Cosine:
      return last + (lr - last) * (1 + std::cos(std::numbers::pi * t)) / 2;
    case ScheduleShape::Linear:
      return lr + (last - lr) * t;
    case ScheduleShape::Step: {
      const auto passed =
          std::count_if(o.milestones.begin(), o.milestones.end(),
                        [&](int64_t milestone) { return static_cast<double>(milestone) <= done; });
      const double falls = o.step_size > 0 ? std::floor(done / static_cast<double>(o.step_size))
                                           : static_cast<double>(passed);
      return lr * std::pow(o.gamma, falls);
    }
    default:
      return lr;
  }
}

}  // namespace retia
