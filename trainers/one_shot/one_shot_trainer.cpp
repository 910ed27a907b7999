#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {
namespace {

constexpr const char* kMutator = "mutator/";

}  // namespace

OneShotTrainer::OneShotTrainer(const SearchSetup& setup, Mutator& mutator)
    : Trainer(setup.network, setup.train, setup.trainer, setup.weight_optimizer),
      mutator_(mutator),
      valid_(setup.valid) {}

StepStats OneShotTrainer::train_step(int64_t epoch, int64_t i) {
  const int64_t n = valid_.n_batches();
  // Each round through the validation batches is an epoch of theirs, in an order of its own.
  const int64_t step = epoch * train_batches().n_batches() + i;
  return train_step(train_batches().batch(epoch, i), valid_.batch(step / n, step % n));
}

void OneShotTrainer::save(Checkpoint& checkpoint) {
  for (const auto& [name, tensor] : named_parameters(mutator_)) {
    checkpoint.tensors[kMutator + name] = tensor;
  }
  checkpoint.state["mutator"] = mutator_.state();
}

void OneShotTrainer::load(const Checkpoint& checkpoint) {
  const at::NoGradGuard no_grad;
  const NamedTensors saved = with_prefix(checkpoint.tensors, kMutator);
  for (auto& [name, tensor] : named_parameters(mutator_)) {
    const auto found = saved.find(name);
    TORCH_CHECK(found != saved.end() && found->second.sizes() == tensor.sizes(),
                "the checkpoint has no mutator parameter '", name, "' of sizes ", tensor.sizes(),
                ": it is of another algorithm or space");
    at::Tensor target = tensor;
    target.copy_(found->second);
  }
  try {
    mutator_.load_state(checkpoint.state.at("mutator"));
  } catch (const Json::exception& error) {
    TORCH_CHECK(false, "the checkpoint has no state of this mutator, it is of another algorithm: ",
                error.what());
  }
}

}  // namespace retia
