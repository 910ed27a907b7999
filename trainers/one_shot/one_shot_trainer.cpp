#include "retia/trainers/one_shot/one_shot_trainer.h"

#include "retia/engine/space/freeze.h"

namespace retia {
namespace {

constexpr const char* kMutator = "mutator/";

}  // namespace

OneShotTrainer::OneShotTrainer(const SearchSetup& setup, Mutator& mutator)
    : Trainer(setup.network, setup.train, setup.trainer, setup.weight_optimizer, setup.ranks),
      mutator_(mutator),
      valid_(setup.valid),
      scoring_(setup.scoring.value_or(setup.valid)) {}

Architecture OneShotTrainer::export_architecture() {
  const std::optional<FinalSearch> search = final_search();
  const ir::Graph& space = network()->graph();
  return search ? ir::completed(space, best_of(*search, space)) : mutator_.export_architecture();
}

void OneShotTrainer::begin_epoch(int64_t epoch) {
  progress_ = static_cast<double>(epoch) / static_cast<double>(options().epochs);
  mutator_.set_progress(progress_);
}

Batch OneShotTrainer::valid_batch(int64_t epoch, int64_t i) const {
  const int64_t n = valid_.n_batches();
  // Each round through the validation batches is an epoch of theirs, in an order of its own.
  const int64_t step = epoch * train_batches().n_batches() + i;
  return valid_.batch(step / n, step % n);
}

void OneShotTrainer::save(Checkpoint& checkpoint) {
  for (const auto& [name, tensor] : weights_of(mutator_)) {
    checkpoint.tensors[kMutator + name] = tensor;
  }
  Json& decided = checkpoint.state["architecture"] = Json::object();
  if (mutator_.has_decided()) {
    for (const auto& [label, decision] : mutator_.current()) {
      decided[label] = decision.chosen;
    }
  }
  checkpoint.state["mutator"] = mutator_.state();
}

void OneShotTrainer::load(const Checkpoint& checkpoint) {
  ir::in_context("the checkpoint is of another algorithm or space",
                 [&] { copy_weights(with_prefix(checkpoint.tensors, kMutator), mutator_); });
  try {
    Architecture decided;
    for (const auto& [label, chosen] : checkpoint.state.at("architecture").items()) {
      decided[label].chosen = chosen.get<std::vector<int64_t>>();
    }
    if (decided.size() > 0) {
      mutator_.apply(decided);
    }
    mutator_.load_state(checkpoint.state.at("mutator"));
  } catch (const Json::exception& error) {
    TORCH_CHECK(false, "the checkpoint has no state of this mutator, it is of another algorithm: ",
                error.what());
  }
}

}  // namespace retia
