#include "trainers/one_shot/single_path_trainer.h"

#include "engine/ir/freeze.h"

namespace retia {

SinglePathTrainer::SinglePathTrainer(const SearchSetup& setup, Mutator& mutator,
                                     FinalSearch make_search, const SinglePathOptions& options)
    : OneShotTrainer(setup, mutator),
      make_search_(std::move(make_search)),
      options_(options),
      penalised_(options.penalty, setup) {
  const auto at_least = [](const char* name, int64_t value, int64_t least) {
    TORCH_CHECK(value >= least, "algorithm: ", name, " must be at least ", least, ", got ", value);
  };
  at_least("paths_per_step", options.paths_per_step, 1);
  at_least("n_candidates", options.n_candidates, 0);
  at_least("recalibration_batches", options.recalibration_batches, 0);
  make_search_(network()->graph());  // tells now, not after the training, what is wrong
}

StepStats SinglePathTrainer::step_of_epoch(int64_t epoch, int64_t i) {
  const Batch train = train_batches().batch(epoch, i);
  return train_step(train, train);
}

StepStats SinglePathTrainer::train_step(const Batch& train, const Batch&) {
  Gradients sum;
  StepStats stats;
  for (int64_t k = 0; k < options_.paths_per_step; ++k) {
    mutator().reset();
    const StepStats path = add_weight_gradients(train, sum);
    stats = k == 0 ? path
                   : StepStats{stats.loss + (path.loss - stats.loss) / static_cast<double>(k + 1),
                               stats.correct + path.correct, stats.n_samples};
  }
  if (options_.paths_per_step > 1) {
    stats.correct = stats.correct.div(options_.paths_per_step, "floor");
  }
  weight_optimizer().step(sum);
  return stats;
}

Architecture SinglePathTrainer::export_architecture() {
  const ir::Graph& space = network()->graph();
  const std::unique_ptr<Strategy> search = make_search_(space);
  Architecture best;
  std::optional<double> best_score;
  for (int64_t i = 0; options_.n_candidates == 0 || i < options_.n_candidates; ++i) {
    const Strategy::Answer answer = search->ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    if (proposal == nullptr) {
      break;
    }
    Network model = inherit(network(), proposal->architecture);
    recalibrate(model, train_batches(), options_.recalibration_batches);
    const double score =
        penalised_(evaluate(model, scoring_batches()).accuracy, proposal->architecture);
    search->tell(*proposal, {TrialStatus::Succeeded, {score}, proposal->architecture});
    if (!best_score || score > *best_score) {
      best_score = score;
      best = proposal->architecture;
    }
  }
  return ir::completed(space, best);
}

}  // namespace retia
