#include "apps/workbench.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <numeric>

#include "engine/device.h"
#include "engine/io/files.h"
#include "engine/io/options.h"
#include "engine/ir/infer.h"
#include "engine/ir/json.h"

namespace retia {
namespace {

constexpr int kStdErr = 2;
constexpr int64_t kScoringBatch = 256;

ir::Graph read_space(const Program& program, const std::string& path) {
  const Json json = read_format(path, "retia.graph", 1);
  return ir::in_context(path, [&] { return ir::graph_from_json(json, program.operations); });
}

/// The file's graph, which must suit the data.
ir::Graph read_suiting_space(const Program& program, const std::string& path, const Task& task) {
  ir::Graph graph = read_space(program, path);
  check_suits(graph, task, path);
  return graph;
}

/// What `graph`, which a run has written, stands for: where it waits for graph mutators they come
/// from the table.
ir::Space written_space(const Program& program, const Json& config, ir::Graph graph,
                        const Task& task) {
  const bool waits = std::any_of(
      graph.nodes().begin(), graph.nodes().end(),
      [](const ir::Node& node) { return std::holds_alternative<ir::Placeholder>(node.body); });
  if (!waits) {
    return graph;
  }
  Json options = config.at("space");
  options.erase("name");
  return config.at("command") == "retrain" ? program.spaces.evaluation(graph.name(), options, task)
                                           : program.spaces.search(graph.name(), options, task);
}

bool is_named(const Program& program, const std::string& space) {
  for (const std::string& name : program.spaces.names()) {
    if (name == space) {
      return true;
    }
  }
  return false;
}

}  // namespace

Workbench open_workbench(const Program& program, const Config& config) {
  if (config.run.threads > 0) {
    at::set_num_threads(static_cast<int>(config.run.threads));
  }
  at::manual_seed(static_cast<uint64_t>(config.run.seed));
  const at::Device device = open_device(config.run.device);
  DataSplits data = program.data_sets.load(config.data);
  TORCH_CHECK(data.train.n_classes > 0, "data set '", config.data.name,
              "' holds numbers to predict, but models are trained to tell classes apart: give "
              "other --data");
  Task task{data.train.sample_shape(), data.train.n_classes};
  return {device, config.run.precision == "fp64" ? at::kDouble : at::kFloat, std::move(data),
          std::move(task)};
}

Batches Workbench::training(const Config& config, const std::vector<int64_t>& indices,
                            LastBatch last) const {
  return {data.train,
          indices,
          {.batch_size = config.trainer.batch_size,
           .seed = static_cast<uint64_t>(config.run.seed),
           .order = SampleOrder::Shuffled,
           .last = last,
           .augment = config.data.augment,
           .device = device,
           .dtype = dtype}};
}

Batches Workbench::scoring(const Config& config, const Dataset& set,
                           const std::vector<int64_t>& indices) const {
  return {set,
          indices,
          {.batch_size = kScoringBatch,
           .seed = static_cast<uint64_t>(config.run.seed),
           .order = SampleOrder::Given,
           .last = LastBatch::Keep,
           .augment = {},
           .device = device,
           .dtype = dtype}};
}

Batches Workbench::scoring(const Config& config, const Dataset& set) const {
  std::vector<int64_t> all(static_cast<size_t>(set.size()));
  std::iota(all.begin(), all.end(), 0);
  return scoring(config, set, all);
}

ir::Space search_space(const Program& program, const Config& config, const Task& task) {
  return is_named(program, config.space)
             ? program.spaces.search(config.space, config.space_options, task)
             : read_suiting_space(program, config.space, task);
}

std::function<ir::Graph(const Json&)> search_space_with(const Program& program,
                                                        const Config& config, const Task& task) {
  if (!is_named(program, config.space)) {
    return nullptr;
  }
  return
      [&program, name = config.space, options = config.space_options, task](const Json& changed) {
        check_options(changed, options, "space '" + name + "'");
        return program.spaces.search(name, merged(options, changed), task).supernet();
      };
}

ir::Space evaluation_space(const Program& program, const Config& config, const Task& task) {
  return is_named(program, config.space)
             ? program.spaces.evaluation(config.space, config.space_options, task)
             : read_suiting_space(program, config.space, task);
}

void check_suits(const ir::Graph& graph, const Task& task, const std::string& source) {
  const std::map<ir::NodeId, Shape> shapes =
      ir::in_context(source, [&] { return ir::infer(graph); });
  const std::vector<const ir::Node*> inputs = graph.inputs();
  TORCH_CHECK(inputs.size() == 1 && !graph.outputs().empty(), source,
              ": expected a graph of one input and an output, got ", inputs.size(), " and ",
              graph.outputs().size());
  const auto check = [&](const char* what, const Shape& found, const Shape& expected) {
    TORCH_CHECK(ir::always_equal(found, expected), source, ": its ", what, " has shape ",
                ir::to_string(found), ", but the data asks for ", ir::to_string(expected),
                ": give the data it was made for by --data");
  };
  check("input", shapes.at(inputs.front()->id), {task.input.begin(), task.input.end()});
  for (const ir::Output& output : graph.outputs()) {
    check("output", shapes.at(output.wire.node), {task.n_outputs});
  }
}

Network make_network(const ir::Graph& graph, const Config& config, const Workbench& bench) {
  Network network(graph, static_cast<uint64_t>(config.run.seed));
  network->to(bench.device, bench.dtype);
  return network;
}

RunDirectory open_run_directory(const Config& config) {
  return config.run.resume ? RunDirectory::resume(config.run.out, config.resolved())
                           : RunDirectory::create(config.run.out, config.resolved());
}

ProgressOptions progress_options(const RunOptions& options) {
  ProgressOptions progress = progress_on(kStdErr);
  if (options.quiet) {
    progress.style = ProgressStyle::Quiet;
  }
  return progress;
}

RunObserver::RunObserver(const RunDirectory& directory, const RunOptions& options)
    : progress_(std::cerr, progress_options(options)), metrics_(directory.file("metrics.jsonl")) {
  progress_.log_to(directory.file("log.txt"));
}

void RunObserver::on_step(const StepReport& report) {
  if (report.epoch != epoch_) {
    epoch_ = report.epoch;
    progress_.begin(
        {.title = "epoch " + std::to_string(report.epoch + 1) + "/" + std::to_string(report.epochs),
         .n_steps = report.steps - report.step + 1,
         .n_steps_after = (report.epochs - report.epoch - 1) * report.steps});
  }
  progress_.step(report.n_samples, {{"loss", report.loss}, {"accuracy", report.accuracy}});
}

void RunObserver::on_epoch(const EpochReport& report) {
  Json line = {{"epoch", report.epoch + 1},   {"loss", report.loss},
               {"accuracy", report.accuracy}, {"lr", report.lr},
               {"seconds", report.seconds},   {"images_per_second", report.images_per_second}};
  NamedNumbers shown = {{"loss", report.loss}, {"accuracy", report.accuracy}};
  if (report.validation) {
    line["valid_loss"] = report.validation->loss;
    line["valid_accuracy"] = report.validation->accuracy;
    shown.emplace_back("valid accuracy", report.validation->accuracy);
  }
  for (const auto& [name, value] : report.more) {
    line[name] = value;
    shown.emplace_back(name, value);
  }
  progress_.end(shown);
  metrics_.write(line);
  if (!report.note.empty()) {
    note(report.note);
  }
}

void RunObserver::load_state(const Json& state) { metrics_.rewind(state.at("metrics")); }

TrainedSupernet read_supernet(const Program& program, const Config& config,
                              const Workbench& bench) {
  const std::filesystem::path run = config.run.checkpoint;
  const Json written = read_format(run / "config.json", "retia.config", 1);
  TORCH_CHECK(written.value("/space/name"_json_pointer, Json()).is_string() &&
                  written.value("/command"_json_pointer, Json()).is_string(),
              (run / "config.json").string(), " is damaged: it names no space or no command");
  TORCH_CHECK(written.at("space").at("name") == config.space, run.string(), " is a run in space ",
              written.at("space").at("name").dump(), ", expected '", config.space, "'");
  ir::Graph graph =
      ir::graph_from_json(read_format(run / "space.json", "retia.graph", 1), program.operations);
  check_suits(graph, bench.task, (run / "space.json").string());
  ir::Space space = written_space(program, written, std::move(graph), bench.task);
  const CheckpointStore checkpoints(newest_checkpoints(run));
  const auto saved =
      checkpoints.newest([](const std::string& warning) { std::cerr << warning << '\n'; });
  TORCH_CHECK(saved.has_value(), run.string(), " holds no checkpoint yet: let it train an epoch");
  return {written.at("command"), std::move(space), with_prefix(saved->tensors, "network/")};
}

void TrialObserver::on_end(const TrialRecord& trial) {
  if (quiet_) {
    return;
  }
  std::cerr << "trial " << trial.proposal.id << ": " << Json(trial.status).get<std::string>();
  if (trial.status == TrialStatus::Succeeded) {
    std::cerr << ", " << percent(trial.objectives.front());
  }
  std::cerr << (trial.error.empty() ? "" : ", " + trial.error) << '\n';
}

std::filesystem::path checkpoints_of(const std::filesystem::path& run, int64_t stage) {
  const std::filesystem::path first = run / "checkpoints";
  return stage == 0 ? first : first / ("stage" + std::to_string(stage));
}

std::filesystem::path newest_checkpoints(const std::filesystem::path& run) {
  int64_t stage = 0;
  while (std::filesystem::exists(checkpoints_of(run, stage + 1))) {
    ++stage;
  }
  return checkpoints_of(run, stage);
}

Ending train(Trainer& trainer, RunDirectory& directory, RunObserver& observer, const Config& config,
             int64_t stage) {
  CheckpointStore checkpoints(checkpoints_of(directory.path(), stage));
  const auto saved =
      checkpoints.newest([&observer](const std::string& warning) { observer.note(warning); });
  if (saved && std::filesystem::exists(checkpoints_of(directory.path(), stage + 1))) {
    // Ended in a former run; what was observed since then stays.
    TrainingObserver nobody;
    trainer.restore(*saved, nobody);
    return Ending::Finished;
  }
  if (stage > 0) {
    observer.note("stage " + std::to_string(stage + 1));
  }
  if (saved) {
    trainer.restore(*saved, observer);
    observer.note("resumed after step " + std::to_string(trainer.steps_done()));
  } else if (stage == 0) {
    observer.load_state({{"metrics", 0}});
  }
  const Ending ending = trainer.fit(observer, &checkpoints);
  if (ending == Ending::Stopped) {
    observer.note("stopped after step " + std::to_string(trainer.steps_done()) +
                  "; continue with the same command and --resume (retia " + config.command +
                  " … --out " + config.run.out + " --resume)");
  }
  return ending;
}

std::string percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * part);
  return text;
}

}  // namespace retia
