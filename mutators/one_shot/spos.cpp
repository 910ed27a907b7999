#include "mutators/one_shot/spos.h"

namespace retia {

SposMutator::SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options)
    : RandomMutator(model, options) {
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen.has_value(), "spos trains one path, but '", choice.label,
                "' may choose any number of inputs: give it n_chosen, or use random");
  }
}

}  // namespace retia
