#include "retia/mutators/fixed.h"

namespace retia {

FixedMutator::FixedMutator(const torch::nn::Module& model, Architecture architecture)
    : Mutator(model), architecture_(std::move(architecture)) {
  check_architecture(architecture_, mutables(), Purpose::Final);
  reset();
}

}  // namespace retia
