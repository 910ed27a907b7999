#include "retia/mutators/gdas.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <cmath>

namespace retia {

GdasMutator::GdasMutator(const torch::nn::Module& model, const GdasMutatorOptions& options)
    : AlphaMutator(model, options.alphas),
      options_(options),
      random_(mix({options.alphas.seed, 1})),
      temperature_(options.first_temperature) {
  TORCH_CHECK(options.first_temperature > 0 && options.last_temperature > 0,
              "gdas: temperatures must be above 0, got ", options.first_temperature, " and ",
              options.last_temperature);
}

void GdasMutator::set_progress(double progress) {
  temperature_ = options_.first_temperature +
                 progress * (options_.last_temperature - options_.first_temperature);
}

Architecture GdasMutator::sample_search() {
  const auto p = probabilities();
  Architecture architecture;
  for (const Mutable& choice : mutables()) {
    Decision& decision = architecture[choice.label] = everything(choice);
    if (!has_alpha(choice.label)) {
      continue;
    }
    std::vector<double> noise, noisy;
    for (const double p_k : p.at(choice.label)) {
      // 1 - u, as u may be 0.
      noise.push_back(-std::log(-std::log1p(-random_.uniform()) + 1e-300));
      noisy.push_back(std::log(p_k) + noise.back());
    }
    if (options_.hard) {
      decision = largest(noisy, *choice.n_chosen);
    }
    samples_[choice.label] = {decision,
                              at::tensor(noise, at::kDouble).to(alpha(choice.label).options())};
  }
  return architecture;
}

at::Tensor GdasMutator::weights(const Mutable& choice) const {
  const auto sample = samples_.find(choice.label);
  const Decision& decision = current().at(choice.label);
  if (sample == samples_.end() || sample->second.decision != decision) {
    return {};
  }
  const at::Tensor pi = at::log_softmax(alpha(choice.label), 0);
  const at::Tensor h = ((pi + sample->second.noise) / temperature_).softmax(0);
  if (!options_.hard) {
    return h;
  }
  const at::Tensor chosen =
      h.index_select(0, at::tensor(decision.chosen, at::kLong).to(h.device()));
  return chosen - chosen.detach() + 1;
}

}  // namespace retia
