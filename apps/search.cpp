#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/epoch_architectures.h"
#include "retia/apps/final_search.h"
#include "retia/apps/recalled.h"
#include "retia/apps/run_record.h"
#include "retia/apps/run_split.h"
#include "retia/apps/workbench.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"

namespace retia {
namespace {

/// Returns one line with the score of the exported architecture with inherited weights.
std::string summary(const Config& config, const Workbench& bench, const Batches& train,
                    const Batches& valid, const Network& supernet,
                    const Architecture& architecture) {
  Network model = inherit(supernet, architecture);
  model->synchronise(nullptr);
  recalibrate(model, train.whole(), kRecalibrationBatches);
  const Score on_valid = score_of(model, valid, bench.ranks);
  const Score on_test = score_of(model, bench.scoring(config, bench.data.test), bench.ranks);
  return "inherited weights: validation accuracy " + percent(on_valid.accuracy) +
         ", test accuracy " + percent(on_test.accuracy);
}

struct SearchOptions {
  std::string epoch = "";
};
std::vector<Option> declared(SearchOptions& o) {
  return {option("epoch", o.epoch,
                 "no search: makes the architecture of this epoch (best, last or its number) that "
                 "of the run in --out")
              .taking("EPOCH")};
}

/// Makes the architecture of an epoch that of the run.
int choose_epoch(const std::string& run, const std::string& epoch) {
  TORCH_CHECK(!RunDirectory::is_in_use(run), run, ": another process is searching there: stop it, ",
              "or wait until it has ended");
  const int64_t number = EpochArchitectures(run).choose(epoch);
  std::cout << "architecture " << run << "/architecture.json of epoch " << number << '\n';
  return kDone;
}

int run_search(const Program& program, const Config& config, const SearchOptions& options) {
  if (!options.epoch.empty()) {
    return choose_epoch(config.run.out, options.epoch);
  }
  Ranks ranks(read_launch(), config.run.timeout);
  const Workbench bench = open_workbench(program, config, ranks.several());
  const ir::Graph space = search_space(program, config, bench.task).supernet();
  const auto seed = static_cast<uint64_t>(config.run.seed);
  const Split split =
      split_of_run(bench.data.train, config.data.valid_fraction, seed, ranks.is_first());
  SearchSetup setup{.network = make_network(space, config, bench),
                    .train = bench.training(config, split.train, LastBatch::Drop),
                    .valid = bench.training(config, split.valid, LastBatch::Drop),
                    .trainer = config.trainer,
                    .weight_optimizer = config.weight_optimizer,
                    .scoring = bench.scoring(config, bench.data.train, split.valid),
                    .space_options = config.space_options,
                    .space_with = search_space_with(program, config, bench.task),
                    .ranks = bench.ranks};
  if (!ranks.is_first()) {
    setup.warn = [](const std::string&) {};
  }
  Search search = program.algorithms.make(config.algorithm, config.algorithm_options, setup, seed);

  std::optional<RunDirectory> directory =
      open_run_directory(program, config, bench, space, Json::object(), ranks);
  if (is_finished(directory, ranks)) {
    if (directory) {
      std::cout << "nothing to do: " << config.run.out << " holds a finished search\n";
    }
    return kDone;
  }
  if (directory) {
    keep_split(*directory, record_of(bench.data, split, config.data.valid_fraction, seed),
               holds_checkpoints(directory->path()));
  }
  RunObserver observer(directory, config.run);
  for (int64_t stage = 0;; ++stage) {
    // What is trained, which may be a changed form of the space.
    if (directory) {
      write_json(directory->file("space.json"), ir::to_json(search.trainer->network()->graph()));
    }
    if (directory && !search.trainer->final_search()) {
      observer.after_epoch([&, stage](int64_t epoch) {
        const Architecture now = ir::canonical(space, search.trainer->export_architecture());
        EpochArchitectures(directory->path())
            .write(stage, epoch, to_json(now, ir::mutables(space), space_reference(config)));
      });
    }
    if (train(*search.trainer, directory, observer, config, ranks, stage) == Ending::Stopped) {
      return kInterrupted;
    }
    if (!search.next) {
      break;
    }
    search = search.next();
  }
  const std::optional<Architecture> found =
      final_architecture(*search.trainer, directory, observer, config, ranks);
  if (!found) {
    return kInterrupted;
  }
  const Architecture architecture = ir::canonical(space, *found);
  if (directory) {
    write_json(directory->file("architecture.json"),
               to_json(architecture, ir::mutables(space), space_reference(config)));
  }
  const std::string worth =
      summary(config, bench, setup.train, *setup.scoring, search.trainer->network(),
              translated(architecture, ir::mutables(space),
                         ir::mutables(search.trainer->network()->graph())));
  if (directory) {
    std::cout << "architecture " << config.run.out << "/architecture.json\n" << worth << '\n';
    directory->mark_finished();
  }
  return kDone;
}

}  // namespace

Command commands::search() {
  return configured({.name = "search",
                     .summary = "one-shot search; writes architecture.json",
                     .flags = with_run_flags({"algorithm", "epochs", "extend", "time-limit"}),
                     .required = {"out"},
                     .sections = {"algorithm"}},
                    run_search);
}

}  // namespace retia
