#include "trainers/one_shot/darts_trainer.h"

namespace retia {
namespace {

constexpr const char* kAlphaOptimizer = "alpha_optimizer/";

}  // namespace

DartsTrainer::DartsTrainer(const SearchSetup& setup, Mutator& mutator, const DartsOptions& options)
    : OneShotTrainer(setup, mutator),
      alpha_optimizer_(Optimizer::adam(named_parameters(mutator), options.alpha_optimizer)) {
  TORCH_CHECK(options.order == 1, "algorithm: order must be 1, got ", options.order);
  TORCH_CHECK(!alpha_optimizer_.parameters().empty(),
              "darts has nothing to learn: the space has no choice to blend");
  check_disjoint(weight_optimizer(), alpha_optimizer_);
}

StepStats DartsTrainer::train_step(const Batch& train, const Batch& valid) {
  mutator().reset();
  alpha_optimizer_.step(gradients(run(valid).loss, alpha_optimizer_.parameters()));
  return step_weights(train);
}

std::optional<Score> DartsTrainer::validate() { return evaluate(network(), scoring_batches()); }

void DartsTrainer::save(Checkpoint& checkpoint) {
  OneShotTrainer::save(checkpoint);
  for (const auto& [name, tensor] : alpha_optimizer_.state()) {
    checkpoint.tensors[kAlphaOptimizer + name] = tensor;
  }
}

void DartsTrainer::load(const Checkpoint& checkpoint) {
  OneShotTrainer::load(checkpoint);
  alpha_optimizer_.load_state(with_prefix(checkpoint.tensors, kAlphaOptimizer));
}

}  // namespace retia
