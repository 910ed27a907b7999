#pragma once

#include <torch/optim/optimizer.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/json.h"
#include "trainers/gradients.h"
#include "trainers/schedule.h"

namespace retia {

/// Stochastic gradient descent with momentum, and its schedule over epochs.
struct SgdOptions {
  double lr = 0.025;              ///< at the first epoch, or after the warm-up, > 0
  double final_lr = 0.001;        ///< at the end, where the schedule is cosine or linear
  double momentum = 0.9;          ///< 0 to 1
  double weight_decay = 3e-4;     ///< ≥ 0
  double gradient_clip = 5.0;     ///< largest norm of all gradients together; 0: none
  ScheduleOptions schedule = {};  ///< cosine
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SgdOptions, lr, final_lr, momentum, weight_decay,
                                                gradient_clip, schedule)

/// Throws, naming it, where an option is out of its range.
void check_sgd_options(const SgdOptions& options);

struct AdamOptions {
  double lr = 3e-4;  ///< > 0
  double beta1 = 0.5;
  double beta2 = 0.999;
  double weight_decay = 1e-3;  ///< ≥ 0, added to the gradient
  double final_lr = 0;         ///< at the end, where the schedule is cosine or linear
  ScheduleOptions schedule = {.shape = ScheduleShape::Constant};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AdamOptions, lr, beta1, beta2, weight_decay,
                                                final_lr, schedule)

/// Named tensors: what an optimiser trains and what it writes into a checkpoint.
using NamedTensors = std::map<std::string, at::Tensor>;

/// The parameters of a module under the paths of its parts.
NamedTensors named_parameters(const torch::nn::Module& module);

/// A LibTorch optimiser over named parameters, which can be saved by those names. State of a
/// parameter is made at its first gradient.
class Optimizer {
 public:
  static Optimizer sgd(const NamedTensors& parameters, const SgdOptions& options);
  static Optimizer adam(const NamedTensors& parameters, const AdamOptions& options);

  /// The parameters, in the order of their names.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }

  /// One step with `gradients`, which must be of these parameters; those undefined are left alone.
  /// Where they have overflowed nothing is done, and false returned.
  bool step(const Gradients& gradients);

  /// What a step with those gradients (not clipped) would subtract from each parameter, over the
  /// learning rate: momentum * buffer + gradient + weight_decay * parameter; undefined where the
  /// gradient is. Only of SGD. Changes nothing.
  std::vector<at::Tensor> direction(const Gradients& gradients) const;

  /// The learning rate that holds now.
  double lr() const;

  /// Sets the learning rate that its schedule has then, and returns it: see learning_rate.
  double schedule(double epoch, int64_t epochs);

  /// Momentum buffers and the like, named `<parameter>/<what>`.
  NamedTensors state() const;
  /// Throws, naming the entry, on state of a parameter it does not have, or of other sizes.
  void load_state(const NamedTensors& given);

 private:
  Optimizer(const NamedTensors& parameters, double gradient_clip);

  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  ScheduleOptions schedule_;
  double first_lr_ = 0, final_lr_ = 0, gradient_clip_ = 0;
};

/// Throws, naming one, when two optimisers train the same tensor.
void check_disjoint(const Optimizer& a, const Optimizer& b);

}  // namespace retia
