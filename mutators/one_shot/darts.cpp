#include "mutators/one_shot/darts.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/random.h"

namespace retia {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// The `n` largest of `strengths`, as ascending indices; of equal ones the first.
Decision largest(const std::vector<double>& strengths, int64_t n) {
  std::vector<int64_t> order(strengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return strengths[static_cast<size_t>(a)] > strengths[static_cast<size_t>(b)];
  });
  order.resize(static_cast<size_t>(n));
  std::sort(order.begin(), order.end());
  return {order};
}

bool fed_by_layer_choices(const Mutable& choice) {
  return std::none_of(choice.fed_by.begin(), choice.fed_by.end(),
                      [](const std::string& label) { return label.empty(); });
}

}  // namespace

DartsMutator::DartsMutator(const torch::nn::Module& model, const DartsMutatorOptions& options)
    : Mutator(model) {
  Random random(options.seed);
  const std::vector<at::Tensor> weights_of_model = model.parameters();
  const at::TensorOptions like =
      weights_of_model.empty() ? at::TensorOptions() : weights_of_model.front().options();
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen.has_value(), "darts blends a fixed number of inputs, but '",
                choice.label, "' may choose any number: give it n_chosen");
    if (!has_alpha(choice)) {
      continue;
    }
    std::vector<double> initial;
    for (int64_t k = 0; k < choice.n_candidates(); ++k) {
      initial.push_back(options.alpha_scale * random.normal());
    }
    alphas_[choice.label] = register_parameter(
        choice.label, at::tensor(initial, at::kDouble).to(like.requires_grad(false)));
  }
}

bool DartsMutator::has_alpha(const Mutable& choice) const {
  return choice.kind == MutableKind::LayerChoice ||
         (*choice.n_chosen < choice.n_candidates() && !fed_by_layer_choices(choice));
}

Architecture DartsMutator::sample_search() {
  Architecture everything;
  for (const Mutable& choice : mutables()) {
    std::vector<int64_t>& chosen = everything[choice.label].chosen;
    chosen.resize(static_cast<size_t>(choice.n_candidates()));
    std::iota(chosen.begin(), chosen.end(), 0);
  }
  return everything;
}

at::Tensor DartsMutator::weights(const Mutable& choice) const {
  const auto found = alphas_.find(choice.label);
  const auto n_chosen = static_cast<int64_t>(current().at(choice.label).chosen.size());
  return found == alphas_.end() || n_chosen < choice.n_candidates() ? at::Tensor()
                                                                    : found->second.softmax(0);
}

const at::Tensor& DartsMutator::alpha(const std::string& label) const {
  const auto found = alphas_.find(mutable_of(label).label);
  TORCH_CHECK(found != alphas_.end(), "'", label,
              "' has no alphas: its inputs are ranked by the layer choices that make them");
  return found->second;
}

Architecture DartsMutator::sample_final() const {
  Architecture architecture;
  for (const Mutable& choice : mutables()) {
    architecture[choice.label] = strongest(choice);
  }
  return architecture;
}

Decision DartsMutator::strongest(const Mutable& choice) const {
  std::vector<double> strengths;
  if (has_alpha(choice)) {
    strengths = probabilities(choice);
    const bool all_zero = choice.zeros.size() == strengths.size();
    for (const int64_t zero : choice.zeros) {
      strengths[static_cast<size_t>(zero)] = all_zero ? 0 : kNever;
    }
  } else if (*choice.n_chosen == choice.n_candidates()) {
    strengths.resize(choice.names.size());
  } else {
    for (const std::string& label : choice.fed_by) {
      strengths.push_back(edge_strength(mutable_of(label)));
    }
  }
  return largest(strengths, *choice.n_chosen);
}

double DartsMutator::edge_strength(const Mutable& layer_choice) const {
  const std::vector<double> strengths = probabilities(layer_choice);
  double best = kNever;
  for (size_t k = 0; k < strengths.size(); ++k) {
    const bool zero = std::find(layer_choice.zeros.begin(), layer_choice.zeros.end(),
                                static_cast<int64_t>(k)) != layer_choice.zeros.end();
    best = zero ? best : std::max(best, strengths[k]);
  }
  return best;
}

std::vector<double> DartsMutator::probabilities(const Mutable& choice) const {
  const at::NoGradGuard no_grad;
  const at::Tensor p = alpha(choice.label).to(at::kCPU, at::kDouble).softmax(0).contiguous();
  return {p.data_ptr<double>(), p.data_ptr<double>() + p.numel()};
}

}  // namespace retia
