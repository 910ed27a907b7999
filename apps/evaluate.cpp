#include <iostream>

#include "apps/workbench.h"
#include "engine/architecture_json.h"
#include "engine/io/files.h"
#include "engine/ir/freeze.h"
#include "engine/ir/json.h"

namespace retia {
namespace {

constexpr int64_t kRecalibrationBatches = 20;

}  // namespace

int evaluate(const Program& program, const Config& config) {
  const std::filesystem::path run = config.run.checkpoint;
  const Json written = read_format(run / "config.json", "retia.config", 1);
  TORCH_CHECK(written.value("/space/name"_json_pointer, Json()).is_string() &&
                  written.value("/command"_json_pointer, Json()).is_string(),
              (run / "config.json").string(), " is damaged: it names no space or no command");
  TORCH_CHECK(written.at("space").at("name") == config.space, run.string(), " is a run in space ",
              written.at("space").at("name").dump(), ", expected '", config.space, "'");
  const Workbench bench = open_workbench(program, config);
  const ir::Graph space =
      ir::graph_from_json(read_format(run / "space.json", "retia.graph", 1), program.operations);
  check_suits(space, bench.task, (run / "space.json").string());
  const Architecture architecture =
      read_architecture(config.run.architecture, ir::mutables(space), config.space);
  const CheckpointStore checkpoints(run / "checkpoints");
  const auto saved =
      checkpoints.newest([](const std::string& warning) { std::cerr << warning << '\n'; });
  TORCH_CHECK(saved.has_value(), run.string(), " holds no checkpoint yet: let it train an epoch");

  Network network = make_network(
      ir::in_context(config.run.architecture, [&] { return ir::freeze(space, architecture); }),
      config, bench);
  ir::in_context(run.string(),
                 [&] { copy_weights(with_prefix(saved->tensors, "network/"), *network); });
  if (written.at("command") == "search") {
    // What a path of a supernet inherits are weights, not the statistics of this path.
    recalibrate(network, bench.scoring(config, bench.data.train), kRecalibrationBatches);
  }
  const Score score = evaluate(network, bench.scoring(config, bench.data.test));
  std::cout << "test loss " << score.loss << "\ntest accuracy " << percent(score.accuracy)
            << std::endl;
  return kDone;
}

}  // namespace retia
