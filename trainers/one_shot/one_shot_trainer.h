#pragma once

#include <functional>
#include <iostream>

#include "retia/engine/mutables/mutator.h"
#include "retia/trainers/one_shot/final_search.h"
#include "retia/trainers/trainer.h"

namespace retia {

/// The inputs of a one-shot search.
struct SearchSetup {
  Network network;                   ///< the supernet, on its device
  Batches train;                     ///< samples that train the weights
  Batches valid;                     ///< samples that train, or score, the architecture
  TrainerOptions trainer = {};       ///< options of the training of the supernet
  SgdOptions weight_optimizer = {};  ///< options of SGD, which trains the weights
  /// Samples that score architectures, not shuffled or augmented; none: valid.
  std::optional<Batches> scoring = {};
  Json space_options = Json::object();  ///< options with which the space was made
  /// Makes the space with some options changed; null: the space has no options.
  std::function<ir::Graph(const Json& options)> space_with = {};
  /// Graph whose costs are counted; none: the network's graph.
  std::optional<ir::Graph> costed = {};
  Ranks* ranks = nullptr;  ///< ranks that search together; null: this process alone
  /// Receives a line that the user should see.
  std::function<void(const std::string&)> warn = [](const std::string& line) {
    std::cerr << line << std::endl;
  };
};

/// Trains a supernet under a mutator. Each method implements train_step, and takes its batches from
/// train_batches and valid_batches.
class OneShotTrainer : public Trainer {
 public:
  /// `mutator` is bound to setup.network and must outlive the trainer.
  OneShotTrainer(const SearchSetup& setup, Mutator& mutator);

  /// Returns the architecture that was found: the mutator's, or the best of the final search if
  /// there is one. Changes neither network nor mutator.
  virtual Architecture export_architecture();

  /// Returns a new final search at each call; none where the mutator's architecture is the result.
  virtual std::optional<FinalSearch> final_search() { return std::nullopt; }

 protected:
  /// Returns the mutator, which decides the choices of the network.
  Mutator& mutator() { return mutator_; }
  /// Returns the fraction of the search completed, in [0, 1].
  double progress() const { return progress_; }
  /// Returns the batches that score architectures.
  const Batches& scoring_batches() const { return scoring_; }
  std::map<std::string, std::vector<double>> probabilities() const override {
    return mutator_.probabilities();
  }

  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  /// Returns the batches that train, or score, the architecture.
  const Batches& valid_batches() const { return valid_; }
  /// Returns the validation batch of a step that has one training batch. Validation batches start
  /// over, in another order, where there are fewer of them.
  Batch valid_batch(int64_t epoch, int64_t i) const;
  /// Passes the fraction of the search completed to the mutator.
  void begin_epoch(int64_t epoch) override;

 private:
  Mutator& mutator_;
  double progress_ = 0;
  Batches valid_, scoring_;
};

}  // namespace retia
