#include "retia/engine/mutables/mutable_module.h"

namespace retia {

BaseMutator& MutableModule::mutator() const {
  TORCH_CHECK(mutator_ != nullptr, to_string(info_.kind), " '", info_.label,
              "' ran without a mutator: construct one on the model first, e.g. "
              "`SposMutator mutator(*model, {.seed = 1});`");
  return *mutator_;
}

std::shared_ptr<torch::nn::Module> MutableModule::clone(const std::optional<torch::Device>&) const {
  TORCH_CHECK(false, to_string(info_.kind), " '", info_.label,
              "' cannot be cloned: a copy would be driven by no mutator. Build the model again");
}

}  // namespace retia
