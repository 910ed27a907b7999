#include "trainers/one_shot/darts_trainer.h"

#include "trainers/one_shot/unrolled.h"
#include "trainers/quiet_pass.h"

namespace retia {
namespace {

constexpr const char* kAlphaOptimizer = "alpha_optimizer/";

}  // namespace

DartsTrainer::DartsTrainer(const SearchSetup& setup, Mutator& mutator, const DartsOptions& options)
    : OneShotTrainer(setup, mutator),
      options_(options),
      penalised_(options.penalty, setup, mutator),
      alpha_optimizer_(Optimizer::adam(named_parameters(mutator), options.alpha_optimizer)) {
  TORCH_CHECK(options.order == 1 || options.order == 2, "algorithm: order must be 1 or 2, got ",
              options.order);
  TORCH_CHECK(options.warmup >= 0 && options.warmup < 1,
              "algorithm: warmup must be at least 0 and below 1, got ", options.warmup);
  TORCH_CHECK(!alpha_optimizer_.parameters().empty(),
              "the algorithm has nothing to learn: the space has no choice to blend");
  check_disjoint(weight_optimizer(), alpha_optimizer_);
}

StepStats DartsTrainer::train_step(const Batch& train, const Batch& valid) {
  if (progress() >= options_.warmup) {
    mutator().apply(mutator().sample_architecture_step());
    alpha_optimizer_.step(alpha_gradients(train, valid));
    mutator().end_architecture_step();
  }
  mutator().reset();
  return step_weights(train);
}

Gradients DartsTrainer::alpha_gradients(const Batch& train, const Batch& valid) {
  const std::vector<at::Tensor>& alphas = alpha_optimizer_.parameters();
  if (options_.order == 1) {
    return gradients(penalised_(run(valid).loss), alphas);
  }
  const QuietPass quiet(*network());
  return unrolled_gradients(
      {.train_loss = [&] { return run(train).loss; },
       .valid_loss = [&] { return penalised_(run(valid).loss); },
       .weights = weights(),
       .alphas = alphas,
       .gradients = [&](const auto& loss, auto of) { return gradients(loss, of); },
       .direction = [&](const Gradients& found) { return weight_optimizer().direction(found); },
       .xi = weight_optimizer().lr()});
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
