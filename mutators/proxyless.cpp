#include "retia/mutators/proxyless.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

namespace retia {
namespace {

/// The alphas of a pair, `[2]`.
at::Tensor of_pair(const at::Tensor& alpha, const Decision& pair) {
  return alpha.index_select(0, at::tensor(pair.chosen, at::kLong).to(alpha.device()));
}

/// The gates of which `open` is, with the gradient of `p`, their probabilities.
at::Tensor gates_of(const at::Tensor& p, int64_t open) {
  std::vector<double> gates(static_cast<size_t>(p.size(0)), 0);
  gates[static_cast<size_t>(open)] = 1;
  return p - p.detach() + at::tensor(gates, at::kDouble).to(p.options().requires_grad(false));
}

}  // namespace

ProxylessMutator::ProxylessMutator(const torch::nn::Module& model, const AlphaOptions& options,
                                   int64_t paths)
    : AlphaMutator(model, options), random_(mix({options.seed, 1})), paths_(paths) {
  TORCH_CHECK(paths == 1 || paths == 2, "proxyless: paths must be 1 or 2, got ", paths);
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(!has_alpha(choice.label) || *choice.n_chosen == 1,
                "proxyless opens one gate of a choice, but '", choice.label, "' keeps ",
                *choice.n_chosen, " of its inputs: use darts, or spos");
  }
}

Architecture ProxylessMutator::sample_search() {
  const auto p = probabilities();
  Architecture architecture;
  pairs_.clear();
  open_.clear();
  for (const Mutable& choice : mutables()) {
    architecture[choice.label] =
        has_alpha(choice.label) ? Decision{{random_.pick(p.at(choice.label))}} : everything(choice);
  }
  return architecture;
}

Architecture ProxylessMutator::sample_architecture_step() {
  const auto p = probabilities();
  const at::NoGradGuard no_grad;
  Architecture architecture = sample_search();
  for (const Mutable& choice : mutables()) {
    if (!has_alpha(choice.label) || choice.n_candidates() < 2) {
      continue;
    }
    Decision& decision = architecture[choice.label];
    if (gates_all(choice)) {
      open_[choice.label] = decision;
      continue;
    }
    // A path and another candidate: two draws without replacement.
    const int64_t first = decision.chosen.front();
    std::vector<double> rest = p.at(choice.label);
    rest[static_cast<size_t>(first)] = 0;
    const int64_t second = random_.pick(rest);
    decision.chosen = {std::min(first, second), std::max(first, second)};
    const std::vector<double> two = {p.at(choice.label)[static_cast<size_t>(decision.chosen[0])],
                                     p.at(choice.label)[static_cast<size_t>(decision.chosen[1])]};
    const double mass =
        of_pair(alpha(choice.label), decision).to(at::kDouble).logsumexp(0).item<double>();
    pairs_[choice.label] = {decision, random_.pick(two), mass};
  }
  return architecture;
}

at::Tensor ProxylessMutator::weights(const Mutable& choice) const {
  const auto pair = pairs_.find(choice.label);
  if (pair == pairs_.end() || pair->second.decision != current().at(choice.label)) {
    return {};
  }
  const at::Tensor p = of_pair(alpha(choice.label), pair->second.decision).softmax(0);
  return gates_of(p, pair->second.open);
}

at::Tensor ProxylessMutator::gates(const Mutable& choice) const {
  const auto open = open_.find(choice.label);
  if (open == open_.end() || open->second != current().at(choice.label)) {
    return {};
  }
  return gates_of(alpha(choice.label).softmax(0), open->second.chosen.front());
}

bool ProxylessMutator::gates_all(const Mutable& choice) const {
  return paths_ == 1 && choice.kind == MutableKind::LayerChoice;
}

void ProxylessMutator::end_architecture_step() {
  const at::NoGradGuard no_grad;
  for (const auto& [label, pair] : pairs_) {
    at::Tensor trained = alpha(label);
    const at::Tensor mass = of_pair(trained, pair.decision).logsumexp(0);
    trained.index_add_(0, at::tensor(pair.decision.chosen, at::kLong).to(trained.device()),
                       (pair.mass - mass).expand({2}));
  }
}

}  // namespace retia
