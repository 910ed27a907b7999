#pragma once

#include <torch/optim/optimizer.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/gradients.h"
#include "retia/trainers/schedule.h"

namespace retia {

/// The options of stochastic gradient descent with momentum, and of its schedule over epochs.
struct SgdOptions {
  double lr = 0.025;              ///< initial learning rate, or that after the warm-up, ≥ 0
  double final_lr = 0.001;        ///< learning rate at the end, for schedules cosine and linear
  double momentum = 0.9;          ///< in [0, 1]
  double weight_decay = 3e-4;     ///< ≥ 0
  double gradient_clip = 5.0;     ///< largest norm of all gradients together; 0: no clipping
  ScheduleOptions schedule = {};  ///< cosine by default
};
inline std::vector<Option> declared(SgdOptions& o) {
  return {
      option("lr", o.lr, Range{0, 1e6}, "learning rate at the start, or after the warm-up"),
      option("final_lr", o.final_lr, Range{0, 1e6},
             "learning rate at the end, for schedules cosine and linear"),
      option("momentum", o.momentum, Range{0, 1}, "momentum"),
      option("weight_decay", o.weight_decay, Range{0, 1e6}, "weight decay"),
      option("gradient_clip", o.gradient_clip, Range{0, 1e12},
             "gradient clipping by norm; 0: none"),
      option("schedule", o.schedule, "learning rate schedule"),
  };
}

/// Throws, naming the option, where one is out of range.
void check_sgd_options(const SgdOptions& options);

/// The options of Adam (Kingma and Ba, ICLR 2015), and of its schedule over epochs.
struct AdamOptions {
  double lr = 3e-4;  ///< ≥ 0
  double beta1 = 0.5;
  double beta2 = 0.999;
  double weight_decay = 1e-3;  ///< ≥ 0, added to the gradient
  double final_lr = 0;         ///< learning rate at the end, for schedules cosine and linear
  ScheduleOptions schedule = {.shape = ScheduleShape::Constant};
};
inline std::vector<Option> declared(AdamOptions& o) {
  return {
      option("lr", o.lr, Range{0, 1e6}, "learning rate at the start, or after the warm-up"),
      option("beta1", o.beta1, Range{0, 1}, "decay of the mean of the gradients"),
      option("beta2", o.beta2, Range{0, 1}, "decay of the mean of their squares"),
      option("weight_decay", o.weight_decay, Range{0, 1e6}, "weight decay, added to the gradient"),
      option("final_lr", o.final_lr, Range{0, 1e6},
             "learning rate at the end, for schedules cosine and linear"),
      option("schedule", o.schedule, "learning rate schedule"),
  };
}

/// Name → tensor: the parameters that an optimizer trains, or the state in a checkpoint.
using NamedTensors = std::map<std::string, at::Tensor>;

/// Returns the parameters of a module, named by their paths.
NamedTensors named_parameters(const torch::nn::Module& module);

/// A LibTorch optimizer over named parameters, whose state can be saved by these names. A tensor
/// with several names (tied weights) is one parameter, with the first of them. The state of a
/// parameter is created at its first gradient.
class Optimizer {
 public:
  /// Makes an optimizer by stochastic gradient descent with momentum. Throws, naming the option,
  /// where one is out of range.
  static Optimizer sgd(const NamedTensors& parameters, const SgdOptions& options);
  /// Makes an optimizer by Adam, without gradient clipping. Throws, naming the option, where one is
  /// out of range.
  static Optimizer adam(const NamedTensors& parameters, const AdamOptions& options);

  /// Returns the parameters, in the order of their names.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }

  /// Takes one step with `gradients`, which must belong to these parameters; parameters with
  /// undefined gradients are unchanged. If the gradients overflowed, does nothing and returns
  /// false.
  bool step(const Gradients& gradients);

  /// Returns, for SGD, the step with these gradients (not clipped) divided by the learning rate:
  /// momentum * buffer + gradient + weight_decay * parameter; undefined where the gradient is.
  /// Changes nothing.
  std::vector<at::Tensor> direction(const Gradients& gradients) const;

  /// Returns the current learning rate.
  double lr() const;

  /// Sets the learning rate of the schedule at `epoch` of `epochs`, and returns it; see
  /// learning_rate.
  double schedule(double epoch, int64_t epochs);

  /// Returns the momentum buffers and other state, named `<parameter>/<what>`.
  NamedTensors state() const;
  /// Restores the state. Throws, naming the entry, where it belongs to no parameter or has another
  /// shape.
  void load_state(const NamedTensors& given);

 private:
  Optimizer(const NamedTensors& parameters, double gradient_clip);

  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  ScheduleOptions schedule_;
  double first_lr_ = 0, final_lr_ = 0, gradient_clip_ = 0;
};

/// Throws, naming a tensor, when two optimizers train the same tensor.
void check_disjoint(const Optimizer& a, const Optimizer& b);

}  // namespace retia
