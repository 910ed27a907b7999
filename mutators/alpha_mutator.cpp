#include "retia/mutators/alpha_mutator.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

using Probabilities = std::map<std::string, std::vector<double>>;

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// Returns whether the inputs of `choice` can be ranked by the strengths of the layer choices that
/// make them: each input by a different one.
bool fed_by_layer_choices(const Mutable& choice) {
  const std::set<std::string> makers(choice.fed_by.begin(), choice.fed_by.end());
  return !choice.fed_by.empty() && makers.size() == choice.fed_by.size() && makers.count("") == 0;
}

/// Returns whether `choice` always needs alphas of its own: layer and value choices.
bool is_blend_of_candidates(const Mutable& choice) {
  return choice.kind == MutableKind::LayerChoice || choice.kind == MutableKind::ValueChoice;
}

/// Returns p with "none" excluded, unless every candidate is "none".
std::vector<double> without_zeros(std::vector<double> p, const Mutable& choice) {
  const bool all_zero = choice.zeros.size() == p.size();
  for (const int64_t zero : choice.zeros) {
    p[static_cast<size_t>(zero)] = all_zero ? 0 : kNever;
  }
  return p;
}

std::vector<int64_t> joined(const std::vector<std::vector<int64_t>>& lists) {
  std::vector<int64_t> all;
  for (const std::vector<int64_t>& list : lists) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

}  // namespace

Decision everything(const Mutable& choice) {
  Decision all;
  all.chosen.resize(static_cast<size_t>(choice.n_candidates()));
  std::iota(all.chosen.begin(), all.chosen.end(), 0);
  return all;
}

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

AlphaMutator::AlphaMutator(const torch::nn::Module& model, const AlphaOptions& options)
    : Mutator(model) {
  Random random(options.seed);
  const std::vector<at::Tensor> weights_of_model = model.parameters();
  const at::TensorOptions like =
      weights_of_model.empty() ? at::TensorOptions() : weights_of_model.front().options();
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen.has_value(), "alphas blend a fixed number of inputs, but '",
                choice.label, "' may choose any number: give it n_chosen");
    const bool is_free = *choice.n_chosen < choice.n_candidates() &&
                         (options.edge_alphas || !fed_by_layer_choices(choice));
    if (!is_blend_of_candidates(choice) && !is_free) {
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

const at::Tensor& AlphaMutator::alpha(const std::string& label) const {
  const auto found = alphas_.find(mutable_of(label).label);
  TORCH_CHECK(found != alphas_.end(), "'", label,
              "' has no alphas: its inputs are ranked by the layer choices that make them");
  return found->second;
}

Probabilities AlphaMutator::probabilities() const {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> all;
  for (const auto& [label, alpha] : alphas_) {
    all.push_back(alpha.to(at::kDouble).softmax(0));
  }
  Probabilities result;
  if (all.empty()) {
    return result;
  }
  const at::Tensor host = at::cat(all).cpu();
  const double* next = host.data_ptr<double>();
  for (const auto& [label, alpha] : alphas_) {
    result[label] = {next, next + alpha.numel()};
    next += alpha.numel();
  }
  return result;
}

ir::DecisionProbabilities AlphaMutator::decision_probabilities() const {
  ir::DecisionProbabilities result;
  for (const Mutable& choice : mutables()) {
    const auto decisions = ir::decisions_of(choice);
    const auto n = static_cast<int64_t>(decisions.size());
    if (!has_alpha(choice.label)) {
      TORCH_CHECK(!alphas_.empty(), "the mutator has no alphas");
      const at::Tensor& like = alphas_.begin()->second;
      result[choice.label] =
          at::full({n}, 1.0 / static_cast<double>(n), like.options().requires_grad(false));
      continue;
    }
    const at::Tensor& logits = alpha(choice.label);
    const at::Tensor members =
        at::tensor(joined(decisions), at::kLong).view({n, *choice.n_chosen}).to(logits.device());
    result[choice.label] =
        logits.index_select(0, members.flatten()).view_as(members).sum(1).softmax(0);
  }
  return result;
}

Architecture AlphaMutator::strongest(const Probabilities& p) const {
  Architecture architecture;
  for (const Mutable& choice : mutables()) {
    const int64_t n = *choice.n_chosen;
    if (is_blend_of_candidates(choice)) {
      architecture[choice.label] = largest(without_zeros(p.at(choice.label), choice), n);
      continue;
    }
    std::vector<double> strengths(choice.names.size(), 1.0);
    if (has_alpha(choice.label)) {
      strengths = p.at(choice.label);
    }
    if (n < choice.n_candidates() && fed_by_layer_choices(choice)) {
      for (size_t i = 0; i < strengths.size(); ++i) {
        const Mutable& maker = mutable_of(choice.fed_by[i]);
        const std::vector<double> candidates = without_zeros(p.at(maker.label), maker);
        strengths[i] *= *std::max_element(candidates.begin(), candidates.end());
      }
    }
    architecture[choice.label] = largest(strengths, n);
  }
  return architecture;
}

}  // namespace retia
