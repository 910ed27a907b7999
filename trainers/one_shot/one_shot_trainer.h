#pragma once

#include <functional>
#include <iostream>

#include "engine/mutator.h"
#include "trainers/one_shot/final_search.h"
#include "trainers/trainer.h"

namespace retia {

/// What a one-shot search works on.
struct SearchSetup {
  Network network;  ///< the supernet, on its device
  Batches train;    ///< trains the weights
  Batches valid;    ///< trains, or scores, the architecture
  TrainerOptions trainer = {};
  SgdOptions weight_optimizer = {};
  std::optional<Batches> scoring = {};  ///< scores architectures, neither shuffled nor augmented;
                                        ///< none: valid
  Json space_options = Json::object();  ///< that the space was made with
  /// The space with some of them changed; null: it has none.
  std::function<ir::Graph(const Json& options)> space_with = {};
  std::optional<ir::Graph> costed = {};  ///< whose costs count; none: the network's graph
  Ranks* ranks = nullptr;                ///< those that search together; null: this process alone
  /// Takes a line that the user should see.
  std::function<void(const std::string&)> warn = [](const std::string& line) {
    std::cerr << line << std::endl;
  };
};

/// Trains a supernet under a mutator. Most methods fill in train_step(train, valid), those with
/// phases step_of_epoch.
class OneShotTrainer : public Trainer {
 public:
  /// `mutator` is bound to setup.network and outlives the trainer.
  OneShotTrainer(const SearchSetup& setup, Mutator& mutator);

  /// The architecture that the search has come to: what the mutator keeps or, where there is a
  /// final search, the best of that. Changes neither network nor mutator.
  virtual Architecture export_architecture();

  /// The trials that end the search, anew at each call; none: the mutator says what it has come to.
  virtual std::optional<FinalSearch> final_search() { return std::nullopt; }

  /// One step. Validation batches come round again when they are fewer.
  virtual StepStats train_step(const Batch& train, const Batch& valid) = 0;

 protected:
  Mutator& mutator() { return mutator_; }
  /// The part of the search that is done, 0 to 1.
  double progress() const { return progress_; }
  const Batches& scoring_batches() const { return scoring_; }
  std::map<std::string, std::vector<double>> probabilities() const override {
    return mutator_.probabilities();
  }

  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  /// Step `i` of `epoch`, 0 to steps_per_epoch() - 1: by default a training and a validation batch.
  /// For methods with phases.
  virtual StepStats step_of_epoch(int64_t epoch, int64_t i);
  const Batches& valid_batches() const { return valid_; }

 private:
  StepStats train_step(int64_t epoch, int64_t i) final;

  Mutator& mutator_;
  double progress_ = 0;
  Batches valid_, scoring_;
};

}  // namespace retia
