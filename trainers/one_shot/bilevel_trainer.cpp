#include "retia/trainers/one_shot/bilevel_trainer.h"

#include "retia/mutators/skip_connections.h"
#include "retia/trainers/one_shot/curvature.h"
#include "retia/trainers/one_shot/unrolled.h"
#include "retia/trainers/quiet_pass.h"

namespace retia {
namespace {

constexpr const char* kAlphaOptimizer = "alpha_optimizer/";

}  // namespace

BilevelTrainer::BilevelTrainer(const SearchSetup& setup, Mutator& mutator,
                               const BilevelOptions& options)
    : OneShotTrainer(setup, mutator),
      options_(options),
      penalised_(options.penalty, setup, mutator),
      alpha_optimizer_(Optimizer::adam(named_parameters(mutator), options.alpha_optimizer)),
      early_stop_(options.early_stop, named_parameters(mutator)) {
  check_declared(options, "algorithm");
  TORCH_CHECK(!alpha_optimizer_.parameters().empty(),
              "the algorithm has nothing to learn: the space has no choice to blend");
  check_disjoint(weight_optimizer(), alpha_optimizer_);
}

StepStats BilevelTrainer::train_step(int64_t epoch, int64_t i) {
  const Batch train = train_batches().batch(epoch, i);
  if (progress() >= options_.warmup) {
    const Batch valid = valid_batch(epoch, i);
    alpha_optimizer_.schedule(position(), options().epochs);
    mutator().apply(mutator().sample_architecture_step());
    alpha_optimizer_.step(alpha_gradients(train, valid));
    mutator().end_architecture_step();
  }
  mutator().reset();
  return step_weights(train);
}

Gradients BilevelTrainer::alpha_gradients(const Batch& train, const Batch& valid) {
  const std::vector<at::Tensor>& alphas = alpha_optimizer_.parameters();
  const LossOf objective = [&](const at::Tensor& loss) { return penalised_(loss); };
  if (options_.order == 1) {
    return differentiate(valid, alphas, objective).gradients;
  }
  const QuietPass quiet(*network());
  const FullPrecision full(*network());  // the finite difference is lost in a lower one
  return unrolled_gradients(
      {.train_gradients = [&](auto of) { return differentiate(train, of).gradients; },
       .valid_gradients = [&](auto of) { return differentiate(valid, of, objective).gradients; },
       .weights = weights(),
       .alphas = alphas,
       .direction = [&](const Gradients& found) { return weight_optimizer().direction(found); },
       .xi = weight_optimizer().lr()});
}

void BilevelTrainer::end_epoch(EpochReport& report) {
  if (!early_stop_.watches() || progress() < options_.warmup) {
    return;
  }
  if (early_stop_.watches_skips()) {
    size_t most = 0;
    for (const auto& [cell, labels] :
         kept_skips(network()->graph(), mutator().export_architecture())) {
      most = std::max(most, labels.size());
    }
    early_stop_.tell_skips(static_cast<int64_t>(most));
    report.more.emplace_back("skip_connections", static_cast<double>(most));
  }
  if (early_stop_.watches_curvature()) {
    const double eigenvalue =
        curvature(valid_batches().batch(report.epoch, 0), static_cast<uint64_t>(report.epoch));
    early_stop_.tell_eigenvalue(eigenvalue);
    report.more.emplace_back("eigenvalue", eigenvalue);
  }
  if (ends_early()) {
    report.note = "the search ends early: " + early_stop_.reason();
  }
}

double BilevelTrainer::curvature(const Batch& valid, uint64_t seed) {
  const QuietPass quiet(*network());
  const FullPrecision full(*network());
  const std::vector<at::Tensor>& alphas = alpha_optimizer_.parameters();
  return largest_eigenvalue(alphas, [&] { return differentiate(valid, alphas).gradients.values; },
                            {.seed = seed});
}

std::optional<Score> BilevelTrainer::validate() {
  return score_of(network(), scoring_batches(), ranks());
}

void BilevelTrainer::save(Checkpoint& checkpoint) {
  OneShotTrainer::save(checkpoint);
  for (const auto& [name, tensor] : alpha_optimizer_.state()) {
    checkpoint.tensors[kAlphaOptimizer + name] = tensor;
  }
  early_stop_.save(checkpoint);
}

void BilevelTrainer::load(const Checkpoint& checkpoint) {
  OneShotTrainer::load(checkpoint);
  alpha_optimizer_.load_state(with_prefix(checkpoint.tensors, kAlphaOptimizer));
  early_stop_.load(checkpoint);
}

}  // namespace retia
