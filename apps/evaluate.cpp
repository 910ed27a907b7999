#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/run_split.h"
#include "retia/apps/workbench.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

int run_evaluate(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const TrainedSupernet trained = read_supernet(program, config, bench);
  const Architecture architecture =
      read_architecture(config.run.architecture, trained.space.mutables(), config.space);
  const ir::Graph model =
      ir::in_context(config.run.architecture, [&] { return trained.space.model(architecture); });
  const bool inherits = trained.command == "search";
  Network network = make_network(inherits ? trained.space.supernet() : model, config, bench);
  ir::in_context(config.run.checkpoint, [&] { copy_weights(trained.weights, *network); });
  if (inherits) {
    // What a path of a supernet inherits are weights, not the statistics of this path.
    network = inherit(network, architecture);
    recalibrate(network, bench.scoring(config, bench.data.train), kRecalibrationBatches);
  }
  const ScoredSamples samples = samples_to_score(bench.data, trained.split);
  const Score score = score_of(network, bench.scoring(config, samples.set));
  const char* const which = samples.are_test ? "test " : "";
  std::cout << samples.described << '\n'
            << which << "loss " << score.loss << '\n'
            << which << "accuracy " << percent(score.accuracy) << std::endl;
  return kDone;
}

}  // namespace

Command commands::evaluate() {
  return configured({.name = "evaluate",
                     .summary = "scores an architecture with the weights of a run",
                     .positional = "run.checkpoint",
                     .flags = with_model_flags({"architecture", "checkpoint"}),
                     .required = {"architecture", "checkpoint"}},
                    run_evaluate);
}

}  // namespace retia
