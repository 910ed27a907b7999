#include "retia/trainers/one_shot/single_path_trainer.h"

#include "retia/engine/mutables/combinations.h"
#include "retia/trainers/evaluators/inherited.h"

namespace retia {

SinglePathTrainer::SinglePathTrainer(const SearchSetup& setup, Mutator& mutator,
                                     MakeStrategy make_strategy, const SinglePathOptions& options)
    : OneShotTrainer(setup, mutator),
      make_strategy_(std::move(make_strategy)),
      options_(options),
      penalised_(options.penalty, setup) {
  check_declared(options, "algorithm");
  make_strategy_(network()->graph());  // tells now, not after the training, what is wrong
}

StepStats SinglePathTrainer::train_step(int64_t epoch, int64_t i) {
  const Batch train = train_batches().batch(epoch, i);
  Gradients sum;
  StepStats stats;
  for (int64_t k = 0; k < options_.paths_per_step; ++k) {
    mutator().reset();
    auto [found, path] = differentiate(train, weights());
    add(sum, std::move(found));
    stats = k == 0 ? path
                   : StepStats{stats.loss + (path.loss - stats.loss) / static_cast<double>(k + 1),
                               stats.correct + path.correct, stats.n_samples};
  }
  if (options_.paths_per_step > 1) {
    stats.correct = stats.correct.div(options_.paths_per_step);
  }
  step_weights(sum);
  return stats;
}

std::optional<FinalSearch> SinglePathTrainer::final_search() {
  const int64_t most = options_.n_candidates;
  return FinalSearch{
      .strategy = make_strategy_(network()->graph()),
      .evaluator = std::make_unique<InheritedEvaluator>(
          network(), train_batches(), scoring_batches(), options_.recalibration_batches,
          [penalised = penalised_](double accuracy, const Architecture& architecture) {
            return penalised(accuracy, architecture);
          }),
      .max_trials = n_combinations(mutator().mutables(), most).value_or(most),
      .n_top = options_.n_top};
}

}  // namespace retia
