#include "retia/mutators/spos.h"

#include "retia/engine/mutables/uniform_sample.h"

namespace retia {
namespace {

constexpr int64_t kTries = 10000;

}  // namespace

SposMutator::SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options,
                         std::vector<ir::Filter> filters)
    : RandomMutator(model, options), filters_(std::move(filters)) {
  if (filters_.empty()) {
    filters_.emplace_back();
  }
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen.has_value(), "spos trains one path, but '", choice.label,
                "' may choose any number of inputs: give it n_chosen, or use random");
  }
}

Architecture SposMutator::draw(Random& random) const {
  const auto n_filters = static_cast<int64_t>(filters_.size());
  for (const int64_t k : random.permutation(n_filters)) {
    const ir::Filter& admits = filters_[static_cast<size_t>(k)];
    for (int64_t i = 0; i < kTries / n_filters; ++i) {
      Architecture path = sample_uniformly(mutables(), random);
      if (!admits || admits(path)) {
        return path;
      }
    }
  }
  TORCH_CHECK(false, "none of ", kTries,
              " architectures drawn is within the window of costs: widen it (algorithm.window)");
}

}  // namespace retia
