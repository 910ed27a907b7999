#include "mutators/one_shot/spos.h"

namespace retia {
namespace {

constexpr int64_t kTries = 10000;

}  // namespace

SposMutator::SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options,
                         ir::Filter admits)
    : RandomMutator(model, options), admits_(std::move(admits)) {
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen.has_value(), "spos trains one path, but '", choice.label,
                "' may choose any number of inputs: give it n_chosen, or use random");
  }
}

Architecture SposMutator::draw(Random& random) const {
  for (int64_t i = 0; i < kTries; ++i) {
    Architecture path = sample_uniformly(mutables(), random);
    if (!admits_ || admits_(path)) {
      return path;
    }
  }
  TORCH_CHECK(false, "none of ", kTries,
              " architectures drawn is within the window of costs: widen it (algorithm.window)");
}

}  // namespace retia
