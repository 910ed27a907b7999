#include "retia/trainers/quiet_pass.h"

namespace retia {

QuietPass::QuietPass(torch::nn::Module& model) {
  for (const auto& module : model.modules()) {
    if (auto norm = std::dynamic_pointer_cast<BatchNormLayer>(module)) {
      norm->keep_statistics(true);
      norms_.push_back(std::move(norm));
    }
  }
}

QuietPass::~QuietPass() {
  for (const auto& norm : norms_) {
    norm->keep_statistics(false);
  }
}

}  // namespace retia
