#include <iostream>
#include <numeric>

#include "retia/apps/commands.h"
#include "retia/apps/workbench.h"
#include "retia/engine/cost/profile.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

int run_retrain(const Program& program, const Config& config) {
  Ranks ranks(read_launch(), config.run.timeout);
  const Workbench bench = open_workbench(program, config, ranks.several());
  const ir::Space space = evaluation_space(program, config, bench.task);
  const Architecture architecture =
      read_architecture(config.run.architecture, space.mutables(), config.space);
  const ir::Graph model =
      ir::in_context(config.run.architecture, [&] { return space.model(architecture); });
  std::vector<int64_t> all(static_cast<size_t>(bench.data.train.size()));
  std::iota(all.begin(), all.end(), 0);
  const Batches test = bench.scoring(config, bench.data.test);
  SupervisedTrainer trainer(make_network(model, config, bench),
                            bench.training(config, all, LastBatch::Drop), test, config.trainer,
                            config.weight_optimizer, bench.ranks);

  for (const std::string& setting : foreign_settings(config.run.architecture, space.mutables())) {
    std::cout << "found with the architecture, and to be given by --set where it is to count: "
              << setting << '\n';
  }
  std::optional<RunDirectory> directory = open_run_directory(config, ranks);
  if (is_finished(directory, ranks)) {
    if (directory) {
      std::cout << "nothing to do: " << config.run.out << " holds a finished training\n";
    }
    return kDone;
  }
  if (directory) {
    write_json(directory->file("space.json"), ir::to_json(space.graph()));
    write_json(directory->file("architecture.json"),
               to_json(space.canonical(architecture), space.mutables(), config.space));
  }
  RunObserver observer(directory, config.run);
  if (train(trainer, directory, observer, config, ranks) == Ending::Stopped) {
    return kInterrupted;
  }
  const Score score = score_of(trainer.network(), test, bench.ranks);
  if (directory) {
    const ir::Cost cost = ir::total_cost(model);
    std::cout << "parameters " << cost.parameters.value() << ", multiply-adds "
              << cost.multiply_adds.value() << "\ntest accuracy " << percent(score.accuracy)
              << std::endl;
    directory->mark_finished();
  }
  return kDone;
}

}  // namespace

// Its options are those of RunOptions (config.h), and of TrainerOptions and SgdOptions (trainers/).
Command commands::retrain() {
  return configured(
      {.name = "retrain",
       .summary = "trains an architecture from scratch, and scores it",
       .flags = with_model_flags({"architecture", "out", "epochs", "resume", "time-limit"}),
       .required = {"architecture", "out"}},
      run_retrain);
}

}  // namespace retia
