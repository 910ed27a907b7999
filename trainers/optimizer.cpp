#include "retia/trainers/optimizer.h"

#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <set>

#include "retia/trainers/in_chunks.h"

namespace retia {
namespace {

/// Returns the tensors of one parameter's state by name.
NamedTensors tensors_of(torch::optim::OptimizerParamState& state) {
  NamedTensors tensors;
  if (auto* sgd = dynamic_cast<torch::optim::SGDParamState*>(&state)) {
    tensors["momentum"] = sgd->momentum_buffer();
  } else if (auto* adam = dynamic_cast<torch::optim::AdamParamState*>(&state)) {
    tensors["mean"] = adam->exp_avg();
    tensors["square"] = adam->exp_avg_sq();
    tensors["step"] = at::scalar_tensor(adam->step(), at::kLong);
  }
  return tensors;
}

/// Numbers in a piece of a large tensor, so that several threads can step it.
constexpr int64_t kPiece = 1 << 16;

/// Returns the numbers of a dense tensor from `begin` on, at most kPiece, in the order of memory.
at::Tensor piece_of(const at::Tensor& tensor, int64_t begin) {
  return tensor.as_strided({std::min(kPiece, tensor.numel() - begin)}, {1},
                           tensor.storage_offset() + begin);
}

/// The tensors of one fused step: lists of equal length, tensor by tensor in one layout.
struct SgdLists {
  std::vector<at::Tensor> parameters, gradients, momenta;

  void add(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& momentum) {
    const bool alike = gradient.strides() == parameter.strides();
    const at::Tensor copied = alike ? gradient : at::empty_like(parameter).copy_(gradient);
    if (!parameter.is_cpu() || parameter.numel() <= kPiece) {
      parameters.push_back(parameter);
      gradients.push_back(copied);
      momenta.push_back(momentum);
      return;
    }
    for (int64_t begin = 0; begin < parameter.numel(); begin += kPiece) {
      parameters.push_back(piece_of(parameter, begin));
      gradients.push_back(piece_of(copied, begin));
      momenta.push_back(momentum.defined() ? piece_of(momentum, begin) : momentum);
    }
  }

  void step(const torch::optim::SGDOptions& options, bool is_first) const {
    in_chunks(parameters, [&](size_t first, size_t n) {
      const auto part = [&](const std::vector<at::Tensor>& of) {
        return at::TensorList(of).slice(first, n);
      };
      at::_fused_sgd_(part(parameters), part(gradients),
                      options.momentum() == 0 ? at::TensorList() : part(momenta),
                      options.weight_decay(), options.momentum(), options.lr(), options.dampening(),
                      options.nesterov(), /*maximize=*/false, is_first);
    });
  }
};

/// Returns whether each parameter fills its memory: the fused step reads and writes that memory as a whole.
bool are_dense(const std::vector<at::Tensor>& parameters) {
  return std::all_of(parameters.begin(), parameters.end(), [](const at::Tensor& parameter) {
    return parameter.is_non_overlapping_and_dense();
  });
}

/// Takes the step of torch::optim::SGD, on all parameters in one call for each thread.
void step_fused(torch::optim::SGD& sgd, const std::vector<at::Tensor>& parameters,
                const std::vector<at::Tensor>& gradients) {
  const at::NoGradGuard no_grad;
  const auto& options =
      static_cast<const torch::optim::SGDOptions&>(sgd.param_groups().front().options());
  SgdLists begun, others;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!gradients[i].defined()) {
      continue;
    }
    if (options.momentum() == 0) {
      others.add(parameters[i], gradients[i], {});
      continue;
    }
    auto& state = sgd.state()[parameters[i].unsafeGetTensorImpl()];
    const bool is_first = state == nullptr;
    if (is_first) {
      state = std::make_unique<torch::optim::SGDParamState>();
      static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer(
          at::empty_like(parameters[i]));
    }
    (is_first ? begun : others)
        .add(parameters[i], gradients[i],
             static_cast<const torch::optim::SGDParamState&>(*state).momentum_buffer());
  }
  begun.step(options, true);
  others.step(options, false);
}

}  // namespace

void check_sgd_options(const SgdOptions& options) {
  check_declared(options, "weight_optimizer");
  check_schedule_options(options.schedule, "weight_optimizer.schedule");
}

NamedTensors named_parameters(const torch::nn::Module& module) {
  NamedTensors named;
  for (const auto& item : module.named_parameters()) {
    named[item.key()] = item.value();
  }
  return named;
}

Optimizer::Optimizer(const NamedTensors& parameters, double gradient_clip)
    : gradient_clip_(gradient_clip) {
  std::set<const at::TensorImpl*> known;
  for (const auto& [name, parameter] : parameters) {
    if (known.insert(parameter.unsafeGetTensorImpl()).second) {
      names_.push_back(name);
      parameters_.push_back(parameter);
    }
  }
}

Optimizer Optimizer::sgd(const NamedTensors& parameters, const SgdOptions& options) {
  check_sgd_options(options);
  Optimizer result(parameters, options.gradient_clip);
  result.optimizer_ = std::make_unique<torch::optim::SGD>(result.parameters_,
                                                          torch::optim::SGDOptions(options.lr)
                                                              .momentum(options.momentum)
                                                              .weight_decay(options.weight_decay));
  result.schedule_ = options.schedule;
  result.first_lr_ = options.lr;
  result.final_lr_ = options.final_lr;
  return result;
}

Optimizer Optimizer::adam(const NamedTensors& parameters, const AdamOptions& options) {
  check_declared(options, "adam");
  check_schedule_options(options.schedule, "adam.schedule");
  Optimizer result(parameters, 0);
  result.optimizer_ = std::make_unique<torch::optim::Adam>(
      result.parameters_, torch::optim::AdamOptions(options.lr)
                              .betas({options.beta1, options.beta2})
                              .weight_decay(options.weight_decay));
  result.schedule_ = options.schedule;
  result.first_lr_ = options.lr;
  result.final_lr_ = options.final_lr;
  return result;
}

bool Optimizer::step(const Gradients& given) {
  TORCH_INTERNAL_ASSERT(given.of.size() == parameters_.size(),
                        "gradients of other parameters than the optimiser's");
  if (given.overflowed) {
    return false;
  }
  Gradients gradients = given;
  clip_norm(gradients, gradient_clip_);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    TORCH_INTERNAL_ASSERT(gradients.of[i].is_same(parameters_[i]));
  }
  auto* const sgd = dynamic_cast<torch::optim::SGD*>(optimizer_.get());
  if (sgd != nullptr && are_dense(parameters_)) {
    step_fused(*sgd, parameters_, gradients.values);
    return true;
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].mutable_grad() = gradients.values[i];
  }
  optimizer_->step();
  for (at::Tensor& parameter : parameters_) {
    parameter.mutable_grad() = at::Tensor();
  }
  return true;
}

std::vector<at::Tensor> Optimizer::direction(const Gradients& gradients) const {
  const at::NoGradGuard no_grad;
  const auto& sgd =
      static_cast<const torch::optim::SGDOptions&>(optimizer_->param_groups().front().options());
  std::vector<at::Tensor> directions(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients.values[i].defined()) {
      continue;
    }
    directions[i] = gradients.values[i].add(parameters_[i], sgd.weight_decay());
    const auto state = optimizer_->state().find(parameters_[i].unsafeGetTensorImpl());
    if (state != optimizer_->state().end()) {
      const auto& found = static_cast<const torch::optim::SGDParamState&>(*state->second);
      directions[i].add_(found.momentum_buffer(), sgd.momentum());
    }
  }
  return directions;
}

double Optimizer::lr() const { return optimizer_->param_groups().front().options().get_lr(); }

double Optimizer::schedule(double epoch, int64_t epochs) {
  const double lr = learning_rate(schedule_, first_lr_, final_lr_, epoch, epochs);
  optimizer_->param_groups().front().options().set_lr(lr);
  return lr;
}

NamedTensors Optimizer::state() const {
  NamedTensors saved;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto found = optimizer_->state().find(parameters_[i].unsafeGetTensorImpl());
    if (found == optimizer_->state().end()) {
      continue;
    }
    for (const auto& [what, tensor] : tensors_of(*found->second)) {
      if (tensor.defined()) {
        saved[names_[i] + "/" + what] = tensor;
      }
    }
  }
  return saved;
}

void Optimizer::load_state(const NamedTensors& given) {
  optimizer_->state().clear();
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& parameter = parameters_[i];
    const auto entry = [&](const std::string& what) {
      const auto found = given.find(names_[i] + "/" + what);
      TORCH_CHECK(found != given.end(), "the checkpoint lacks the optimiser state '", names_[i],
                  "/", what, "': it is damaged");
      TORCH_CHECK(what == "step" || found->second.sizes() == parameter.sizes(),
                  "the optimiser state '", names_[i], "/", what, "' is ", found->second.sizes(),
                  ", expected ", parameter.sizes(), ": it is of another model");
      return found->second.to(parameter.device(), /*non_blocking=*/false, /*copy=*/true);
    };
    void* key = parameter.unsafeGetTensorImpl();
    if (dynamic_cast<torch::optim::SGD*>(optimizer_.get()) != nullptr) {
      if (given.count(names_[i] + "/momentum") != 0) {
        auto made = std::make_unique<torch::optim::SGDParamState>();
        // In the layout of the parameter, which the fused step asks of all that it reads.
        made->momentum_buffer(at::empty_like(parameter).copy_(entry("momentum")));
        optimizer_->state()[key] = std::move(made);
      }
    } else if (given.count(names_[i] + "/mean") != 0) {
      auto made = std::make_unique<torch::optim::AdamParamState>();
      made->exp_avg(entry("mean"));
      made->exp_avg_sq(entry("square"));
      made->step(entry("step").item<int64_t>());
      optimizer_->state()[key] = std::move(made);
    }
  }
  const NamedTensors loaded = state();
  for (const auto& [name, tensor] : given) {
    TORCH_CHECK(loaded.count(name) != 0, "the checkpoint holds the optimiser state '", name,
                "', for which there is no parameter: it is of another model");
  }
}

void check_disjoint(const Optimizer& a, const Optimizer& b) {
  for (const at::Tensor& x : a.parameters()) {
    for (const at::Tensor& y : b.parameters()) {
      TORCH_CHECK(!x.is_same(y), "two optimisers train the same tensor of sizes ", x.sizes(),
                  ": the parameters of mutator and model must be disjoint");
    }
  }
}

}  // namespace retia
