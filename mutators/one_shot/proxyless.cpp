#include "mutators/one_shot/proxyless.h"

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

}  // namespace

ProxylessMutator::ProxylessMutator(const torch::nn::Module& model, const AlphaOptions& options)
    : AlphaMutator(model, options), random_(mix({options.seed, 1})) {
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
    // A path and another candidate: two draws without replacement.
    Decision& decision = architecture[choice.label];
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
  const at::Tensor gates =
      at::tensor({pair->second.open == 0 ? 1.0 : 0.0, pair->second.open == 1 ? 1.0 : 0.0},
                 at::kDouble)
          .to(p.options().requires_grad(false));
  return p - p.detach() + gates;
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
