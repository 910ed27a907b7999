#include "retia/trainers/one_shot/enas_trainer.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <set>

#include "retia/engine/space/freeze.h"
#include "retia/strategies/listed.h"
#include "retia/trainers/evaluators/inherited.h"
#include "retia/trainers/quiet_pass.h"

namespace retia {
namespace {

constexpr const char* kControllerOptimizer = "controller_optimizer/";
constexpr const char* kBaseline = "baseline";

}  // namespace

EnasTrainer::EnasTrainer(const SearchSetup& setup, PolicyMutator& policy,
                         const EnasOptions& options)
    : OneShotTrainer(setup, policy),
      policy_(policy),
      options_(options),
      penalised_(options.penalty, setup),
      reinforce_({.entropy_weight = options.entropy_weight,
                  .penalty_weight = options.skip_weight,
                  .baseline_decay = options.baseline_decay}),
      controller_optimizer_(Optimizer::adam(
          named_parameters(policy),
          {.lr = options.controller_lr, .beta1 = 0.9, .beta2 = 0.999, .weight_decay = 0})) {
  check_declared(options, "algorithm");
  TORCH_CHECK(!policy.mutables().empty(), "enas has nothing to learn: the space has no choice");
  check_disjoint(weight_optimizer(), controller_optimizer_);
}

int64_t EnasTrainer::steps_per_epoch() const {
  return train_batches().n_batches() + options_.controller_steps;
}

StepStats EnasTrainer::train_step(int64_t epoch, int64_t i) {
  const int64_t n_weight_steps = train_batches().n_batches();
  if (i < n_weight_steps) {
    policy_.reset();
    return step_weights(train_batches().batch(epoch, i));
  }
  const int64_t controller_step = epoch * options_.controller_steps + i - n_weight_steps;
  return step_controller(controller_step * options_.aggregate);
}

StepStats EnasTrainer::step_controller(int64_t first) {
  const int64_t n = valid_batches().n_batches();
  const at::Tensor loss = reinforce_.loss(policy_, options_.aggregate, [&, next = first]() mutable {
    const Batch batch = valid_batches().batch(next / n, next % n);
    ++next;
    return penalised_(accuracy(batch), policy_.current());
  });
  Gradients found = gradients(loss, controller_optimizer_.parameters());
  clip_norm(found, options_.controller_clip);
  controller_optimizer_.step(found);
  policy_.end_architecture_step();
  return {loss.detach(), at::zeros({}, at::kLong), 0};
}

double EnasTrainer::accuracy(const Batch& batch) {
  const at::NoGradGuard no_grad;
  const QuietPass quiet(*network());
  auto correct = forward(batch).logits.argmax(1).eq(batch.targets).sum().item<double>();
  if (ranks() == nullptr) {
    return correct / static_cast<double>(batch.size());
  }
  ranks()->sum(at::from_blob(&correct, {1}, at::kDouble));
  return correct / static_cast<double>(batch.size() * ranks()->size());
}

std::optional<FinalSearch> EnasTrainer::final_search() {
  const Json sampler = policy_.state();
  std::vector<Architecture> candidates;
  std::set<Architecture> distinct;
  for (int64_t i = 0; i <= options_.n_candidates; ++i) {
    Architecture candidate = ir::canonical(
        network()->graph(), i == 0 ? policy_.export_architecture() : policy_.sample_search());
    if (distinct.insert(candidate).second) {
      candidates.push_back(std::move(candidate));
    }
  }
  policy_.load_state(sampler);
  const auto n = static_cast<int64_t>(candidates.size());
  return FinalSearch{
      .strategy = std::make_unique<ListedStrategy>(std::move(candidates)),
      .evaluator = std::make_unique<InheritedEvaluator>(
          network(), train_batches(), scoring_batches(), options_.recalibration_batches,
          [penalised = penalised_](double accuracy, const Architecture& architecture) {
            return penalised(accuracy, architecture);
          }),
      .max_trials = n};
}

Score EnasTrainer::score(const Architecture& architecture) {
  Network model = inherit(network(), architecture);
  recalibrate(model, train_batches(), options_.recalibration_batches, ranks());
  return score_of(model, scoring_batches(), ranks());
}

std::optional<Score> EnasTrainer::validate() { return score(policy_.current()); }

void EnasTrainer::save(Checkpoint& checkpoint) {
  OneShotTrainer::save(checkpoint);
  for (const auto& [name, tensor] : controller_optimizer_.state()) {
    checkpoint.tensors[kControllerOptimizer + name] = tensor;
  }
  checkpoint.state[kBaseline] = reinforce_.baseline();
}

void EnasTrainer::load(const Checkpoint& checkpoint) {
  OneShotTrainer::load(checkpoint);
  controller_optimizer_.load_state(with_prefix(checkpoint.tensors, kControllerOptimizer));
  TORCH_CHECK(checkpoint.state.contains(kBaseline),
              "the checkpoint has no baseline of rewards, it is of another algorithm");
  reinforce_.set_baseline(checkpoint.state.at(kBaseline));
}

}  // namespace retia
