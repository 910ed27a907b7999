#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>

#include <filesystem>
#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/workbench.h"
#include "retia/engine/base/clock.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/cost/cost_measure.h"
#include "retia/engine/cost/latency_table.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"

namespace retia {
namespace {

constexpr double kSecondsBetweenWrites = 5;

struct Measurable {
  ir::Operation operation;
  std::vector<Shape> inputs;
};

/// Returns every primitive that a model of `space` may have and that `table` lacks, each once.
std::vector<Measurable> missing(const ir::Graph& space, LatencyTable table) {
  std::vector<Measurable> found;
  const ir::ExpectedCost walk(
      space, [&](const ir::Operation& operation, const std::vector<Shape>& inputs) {
        if (!table.find(operation, inputs)) {
          found.push_back({operation, inputs});
          table.set(operation, inputs, {});
        }
        return 0.0;
      });
  return found;
}

/// Returns the table in the file, if it was measured under `conditions`.
LatencyTable open_table(const ProfileOptions& options, const LatencyConditions& conditions) {
  if (!std::filesystem::exists(options.table)) {
    return LatencyTable(conditions);
  }
  LatencyTable table = LatencyTable::read(options.table);
  if (table.conditions() == conditions) {
    return table;
  }
  TORCH_CHECK(options.force, options.table, " holds latencies of ", to_string(table.conditions()),
              ", but what is to be measured is ", to_string(conditions),
              ": give another --table, or --force to replace it");
  return LatencyTable(conditions);
}

/// Prints how long the whole model takes, beside what the table makes of it.
void compare(const Config& config, const Workbench& bench, const ir::Graph& space,
             const LatencyMeterOptions& options) {
  const std::string& file = config.run.architecture;
  const ir::Graph model =
      ir::freeze(space, read_architecture(file, ir::mutables(space), config.space));
  const at::NoGradGuard no_grad;
  Network network = make_network(model, config, bench);
  network->eval();
  std::vector<int64_t> sizes = bench.task.input;
  sizes.insert(sizes.begin(), options.batch);
  const at::Tensor input =
      at::randn(sizes, at::TensorOptions(bench.device).dtype(stored_in(bench.dtype)));
  const Latency whole = measure_latency([&] { network->forward(input); }, bench.device, options);
  const ir::OperationCost cost =
      operation_cost(CostMeasure::Latency, config.profile.table, config.space);
  std::cout << file << ": " << whole.milliseconds << " ms measured, " << ir::total_cost(model, cost)
            << " ms by the table\n";
}

int run_profile(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const ir::Graph space = search_space(program, config, bench.task).supernet();
  const ProfileOptions& options = config.profile;
  const LatencyMeterOptions meter = {
      .batch = options.batch, .warmup = options.warmup, .repeats = options.repeats};
  const LatencyConditions conditions = conditions_here(bench.device, bench.dtype, options.batch);
  LatencyTable table = open_table(options, conditions);
  const std::vector<Measurable> todo =
      missing(space, options.force ? LatencyTable(conditions) : table);

  table.write(options.table);  // where that fails, it fails before the measurements
  const StopSignal stop;
  Progress progress(std::cerr, progress_options(config.run));
  progress.begin({.title = "profile", .n_steps = static_cast<int64_t>(todo.size())});
  size_t n_measured = 0;
  double written = now();
  for (; n_measured < todo.size() && !stop.requested(); ++n_measured) {
    const auto& [operation, inputs] = todo[n_measured];
    table.set(operation, inputs,
              measure_latency(operation, inputs, bench.device, bench.dtype, meter));
    progress.step(0, {});
    if (now() - written > kSecondsBetweenWrites) {
      table.write(options.table);
      written = now();
    }
  }
  progress.end();
  table.write(options.table);
  std::cout << options.table << ": measured " << n_measured << " operations, holds " << table.size()
            << "; " << to_string(conditions) << '\n';
  if (n_measured < todo.size()) {
    std::cout << "stopped; the same command measures the other " << todo.size() - n_measured
              << '\n';
    return kInterrupted;
  }
  if (!config.run.architecture.empty()) {
    compare(config, bench, space, meter);
  }
  return kDone;
}

}  // namespace

Command commands::profile() {
  return configured(
      {.name = "profile",
       .summary = "measures the latency of every operation of a space on this machine",
       .positional = "space.name",
       .flags = {"space", "architecture", "data", "data-dir", "table", "force", "seed", "device",
                 "precision", "threads", "quiet"},
       .required = {"table"},
       .sections = {"profile"}},
      run_profile);
}

}  // namespace retia
