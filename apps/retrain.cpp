#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/recalled.h"
#include "retia/apps/run_record.h"
#include "retia/apps/run_split.h"
#include "retia/apps/workbench.h"
#include "retia/engine/cost/profile.h"
#include "retia/engine/distributed/shared_checkpoint.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

/// Returns the split of a retraining: no sample on which the search of the architecture was tested
/// trains or chooses.
Split retraining_split(const Config& config, const Workbench& bench, const Ranks& ranks) {
  const std::filesystem::path found = config.run.architecture;
  const double fraction = config.data.valid_fraction;
  Split split = split_of_run(bench.data.train, fraction, static_cast<uint64_t>(config.run.seed),
                             ranks.is_first());
  split = without_tested(std::move(split), bench.data, read_split(found.parent_path()),
                         ranks.is_first());
  TORCH_CHECK(fraction == 0 || !split.valid.empty(), "data set '", config.data.name,
              "': ", bench.data.train.size(), " samples are too few to hold out a part of ",
              fraction, ": train on all of them by --set data.valid_fraction=0");
  return split;
}

/// Returns the samples by which weights are chosen; none where none are held out.
std::optional<Batches> validation(const Config& config, const Workbench& bench,
                                  const Split& split) {
  return split.valid.empty() ? std::nullopt
                             : std::optional(bench.scoring(config, bench.data.train, split.valid));
}

/// Gives the network the weights with the best validation score, and returns their checkpoint; none
/// where no samples were held out: the network keeps the last weights.
std::optional<Checkpoint> take_best_weights(Trainer& trainer,
                                            const std::optional<RunDirectory>& directory,
                                            Ranks& ranks) {
  std::optional<Checkpoint> best;
  if (directory) {
    best = CheckpointStore(checkpoints_of(directory->path(), 0)).best();
  }
  if (!ranks.any(best.has_value())) {
    return std::nullopt;
  }
  if (ranks.size() > 1) {
    best = broadcast(ranks, best.value_or(Checkpoint()));
  }
  copy_weights(trained_weights(*best), *trainer.network());
  return best;
}

/// Returns the line that says which weights are scored.
std::string chosen_by(const std::optional<Checkpoint>& best) {
  if (!best) {
    return "weights of the last epoch, since no samples were held out";
  }
  return c10::str("valid accuracy ", percent(best->state.at("best").at("accuracy").get<double>()),
                  ", the best, after epoch ", best->state.at("epoch").get<int64_t>());
}

int run_retrain(const Program& program, const Config& config) {
  Ranks ranks(read_launch(), config.run.timeout);
  const Workbench bench = open_workbench(program, config, ranks.several());
  const ir::Space space = evaluation_space(program, config, bench.task);
  const Architecture architecture =
      read_architecture(config.run.architecture, space.mutables(), config.space);
  const ir::Graph model =
      ir::in_context(config.run.architecture, [&] { return space.model(architecture); });
  const auto seed = static_cast<uint64_t>(config.run.seed);
  const Split split = retraining_split(config, bench, ranks);
  const Batches test = bench.scoring(config, bench.data.test);
  SupervisedTrainer trainer(
      make_network(model, config, bench), bench.training(config, split.train, LastBatch::Drop),
      validation(config, bench, split), config.trainer, config.weight_optimizer, bench.ranks);

  for (const std::string& setting : foreign_settings(config.run.architecture, space.mutables())) {
    std::cout << "found with the architecture, and to be given by --set where it is to count: "
              << setting << '\n';
  }
  std::optional<RunDirectory> directory = open_run_directory(
      program, config, bench, space.graph(),
      {{"architecture", choices_to_json(space.canonical(architecture), space.mutables())}}, ranks);
  if (is_finished(directory, ranks)) {
    if (directory) {
      std::cout << "nothing to do: " << config.run.out << " holds a finished training\n";
    }
    return kDone;
  }
  if (directory) {
    keep_split(*directory, record_of(bench.data, split, config.data.valid_fraction, seed),
               holds_checkpoints(directory->path()));
    write_json(directory->file("space.json"), ir::to_json(space.graph()));
    write_json(directory->file("architecture.json"),
               to_json(space.canonical(architecture), space.mutables(),
                       evaluated_reference(config, read_space_reference(config.run.architecture))));
  }
  RunObserver observer(directory, config.run);
  if (train(trainer, directory, observer, config, ranks) == Ending::Stopped) {
    return kInterrupted;
  }
  const std::optional<Checkpoint> best = take_best_weights(trainer, directory, ranks);
  const Score score = score_of(trainer.network(), test, bench.ranks);
  if (directory) {
    observer.on_test(score, trainer.steps_done());
    const ir::Cost cost = ir::total_cost(model);
    std::cout << "parameters " << cost.parameters.value() << ", multiply-adds "
              << cost.multiply_adds.value() << '\n'
              << chosen_by(best) << "\ntest accuracy " << percent(score.accuracy) << std::endl;
    directory->mark_finished({{"test_loss", score.loss},
                              {"test_accuracy", score.accuracy},
                              {"test_samples", score.n_samples}});
  }
  return kDone;
}

}  // namespace

// Its options are those of RunOptions (config.h), and of TrainerOptions and SgdOptions (trainers/).
Command commands::retrain() {
  return configured({.name = "retrain",
                     .summary = "trains an architecture from scratch, and scores it",
                     .positional = "run.architecture",
                     .flags = with_run_flags({"architecture", "epochs", "extend", "time-limit"}),
                     .required = {"architecture", "out"}},
                    run_retrain);
}

}  // namespace retia
