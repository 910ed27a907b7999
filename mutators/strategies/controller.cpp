#include "mutators/strategies/controller.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

namespace retia {
namespace {

constexpr double kRange = 0.1;  // of initial weights, to both sides
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

Json to_json(const std::vector<at::Tensor>& tensors) {
  Json json = Json::array();
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor flat = tensor.detach().contiguous();
    const auto* data = flat.const_data_ptr<double>();
    json.push_back(std::vector<double>(data, data + flat.numel()));
  }
  return json;
}

void read(const Json& json, const std::vector<at::Tensor>& into) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < into.size(); ++i) {
    const auto values = json.at(i).get<std::vector<double>>();
    into[i].copy_(at::tensor(values, at::kDouble).view(into[i].sizes()));
  }
}

}  // namespace

struct Controller::Walk {
  at::Tensor input, hidden, cell;
  size_t variable = 0;
};

Controller::Controller(const std::vector<int64_t>& n_categories, int64_t size, uint64_t seed) {
  Random random(seed);
  of_input_ = add({4 * size, size}, kRange, random);
  of_hidden_ = add({4 * size, size}, kRange, random);
  bias_ = add({4 * size}, 0, random);
  zero_ = at::zeros({1, size}, at::kDouble);
  for (const int64_t n : n_categories) {
    heads_.push_back(add({n, size}, 0, random));
    embeddings_.push_back(add({n, size}, kRange, random));
  }
}

at::Tensor Controller::add(std::vector<int64_t> sizes, double range, Random& random) {
  at::Tensor parameter = at::zeros(sizes, at::kDouble);
  auto* data = parameter.mutable_data_ptr<double>();
  for (int64_t i = 0; range > 0 && i < parameter.numel(); ++i) {
    data[i] = range * (2 * random.uniform() - 1);
  }
  parameters_.push_back(parameter.requires_grad_());
  mean_.push_back(at::zeros(sizes, at::kDouble));
  square_.push_back(at::zeros(sizes, at::kDouble));
  return parameter;
}

at::Tensor Controller::log_probabilities(Walk& walk) const {
  std::tie(walk.hidden, walk.cell) =
      at::lstm_cell(walk.input, {walk.hidden, walk.cell}, of_input_, of_hidden_, bias_);
  return at::linear(walk.hidden, heads_[walk.variable]).squeeze(0).log_softmax(0);
}

void Controller::decide(Walk& walk, std::optional<int64_t> category) const {
  walk.input = category ? embeddings_[walk.variable].narrow(0, *category, 1) : zero_;
  ++walk.variable;
}

Categories Controller::sample(Random& random) const {
  const at::NoGradGuard no_grad;
  Walk walk{zero_, zero_, zero_};
  Categories drawn;
  while (walk.variable < heads_.size()) {
    const at::Tensor p = log_probabilities(walk).exp();
    const auto* data = p.const_data_ptr<double>();
    drawn.emplace_back(random.pick(std::vector<double>(data, data + p.numel())));
    decide(walk, drawn.back());
  }
  return drawn;
}

ControllerTerms Controller::terms(const Categories& decided) const {
  Walk walk{zero_, zero_, zero_};
  ControllerTerms terms{at::zeros({}, at::kDouble), at::zeros({}, at::kDouble)};
  while (walk.variable < heads_.size()) {
    const std::optional<int64_t> category = decided[walk.variable];
    const at::Tensor log_p = log_probabilities(walk);
    if (category) {
      terms.log_prob = terms.log_prob + log_p[*category];
      terms.entropy = terms.entropy - (log_p.exp() * log_p).sum();
    }
    decide(walk, category);
  }
  return terms;
}

void Controller::ascend(const at::Tensor& objective, double lr) {
  const auto gradients = torch::autograd::grad({objective}, parameters_, {}, false, false,
                                               /*allow_unused=*/true);
  const at::NoGradGuard no_grad;
  ++n_steps_;
  const double correction1 = 1 - std::pow(kBeta1, static_cast<double>(n_steps_));
  const double correction2 = 1 - std::pow(kBeta2, static_cast<double>(n_steps_));
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor gradient =
        gradients[i].defined() ? gradients[i] : at::zeros_like(parameters_[i]);
    mean_[i].mul_(kBeta1).add_(gradient, 1 - kBeta1);
    square_[i].mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    parameters_[i].addcdiv_(mean_[i] / correction1, (square_[i] / correction2).sqrt() + kEpsilon,
                            lr);
  }
}

Json Controller::state() const {
  return {{"parameters", to_json(parameters_)},
          {"mean", to_json(mean_)},
          {"square", to_json(square_)},
          {"n_steps", n_steps_}};
}

void Controller::load_state(const Json& state) {
  read(state.at("parameters"), parameters_);
  read(state.at("mean"), mean_);
  read(state.at("square"), square_);
  n_steps_ = state.at("n_steps");
}

}  // namespace retia
