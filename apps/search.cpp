#include <iostream>

#include "apps/final_search.h"
#include "apps/workbench.h"
#include "engine/architecture_json.h"
#include "engine/io/files.h"
#include "engine/ir/freeze.h"
#include "engine/ir/json.h"

namespace retia {
namespace {

constexpr int64_t kRecalibrationBatches = 20;

/// States what the exported architecture is worth with the weights it inherits.
void summarise(const Config& config, const Workbench& bench, const Batches& train,
               const Batches& valid, const Network& supernet, const Architecture& architecture) {
  Network model = inherit(supernet, architecture);
  recalibrate(model, train, kRecalibrationBatches);
  std::cout << "architecture " << config.run.out << "/architecture.json\n"
            << "inherited weights: validation accuracy " << percent(evaluate(model, valid).accuracy)
            << ", test accuracy "
            << percent(evaluate(model, bench.scoring(config, bench.data.test)).accuracy) << '\n';
}

}  // namespace

int search(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const ir::Graph space = search_space(program, config, bench.task).supernet();
  const auto [held_out, trained] = split_indices(
      bench.data.train.size(), config.data.valid_fraction, static_cast<uint64_t>(config.run.seed));
  SearchSetup setup{make_network(space, config, bench),
                    bench.training(config, trained, LastBatch::Drop),
                    bench.training(config, held_out, LastBatch::Drop),
                    config.trainer,
                    config.weight_optimizer,
                    bench.scoring(config, bench.data.train, held_out),
                    config.space_options,
                    search_space_with(program, config, bench.task)};
  Search search = program.algorithms.make(config.algorithm, config.algorithm_options, setup,
                                          static_cast<uint64_t>(config.run.seed));

  RunDirectory directory = open_run_directory(config);
  if (directory.state() == RunState::Finished) {
    std::cout << "nothing to do: " << config.run.out << " holds a finished search\n";
    return kDone;
  }
  RunObserver observer(directory, config.run);
  for (int64_t stage = 0;; ++stage) {
    // What is trained, which may be a changed form of the space.
    write_json(directory.file("space.json"), ir::to_json(search.trainer->network()->graph()));
    if (train(*search.trainer, directory, observer, config, stage) == Ending::Stopped) {
      return kInterrupted;
    }
    if (!search.next) {
      break;
    }
    search = search.next();
  }
  const std::optional<Architecture> found =
      final_architecture(*search.trainer, directory, observer, config);
  if (!found) {
    return kInterrupted;
  }
  const Architecture architecture = ir::canonical(space, *found);
  write_json(directory.file("architecture.json"),
             to_json(architecture, ir::mutables(space), config.space));
  summarise(config, bench, setup.train, *setup.scoring, search.trainer->network(),
            translated(architecture, ir::mutables(space),
                       ir::mutables(search.trainer->network()->graph())));
  directory.mark_finished();
  return kDone;
}

}  // namespace retia
