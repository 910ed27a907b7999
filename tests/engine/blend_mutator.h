#pragma once

#include <ATen/ops/tensor.h>

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "retia/engine/mutables/mutator.h"

namespace retia {

/// Chooses all candidates of every choice and weighs them as it is told.
class BlendMutator final : public Mutator {
 public:
  explicit BlendMutator(const torch::nn::Module& model) : Mutator(model) { reset(); }

  /// weights: one per candidate.
  void weigh(const std::string& label, const at::Tensor& weights) { weights_[label] = weights; }

  /// Weighs what `architecture` chooses of `label` by 1 and all else by 0.
  void weigh(const std::string& label, const Architecture& architecture) {
    std::vector<double> weights(mutable_of(label).names.size(), 0);
    for (const int64_t index : architecture.at(label).chosen) {
      weights[static_cast<size_t>(index)] = 1;
    }
    weigh(label, at::tensor(weights, at::kDouble));
  }

  Architecture sample_search() override {
    Architecture all;
    for (const Mutable& choice : mutables()) {
      std::vector<int64_t>& chosen = all[choice.label].chosen;
      chosen.resize(choice.names.size());
      std::iota(chosen.begin(), chosen.end(), 0);
    }
    return all;
  }
  Architecture sample_final() const override { return {}; }

  at::Tensor weights(const Mutable& choice) const override {
    const auto found = weights_.find(choice.label);
    return found == weights_.end() ? at::Tensor() : found->second;
  }

 private:
  std::map<std::string, at::Tensor> weights_;
};

}  // namespace retia
