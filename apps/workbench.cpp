#include "retia/apps/workbench.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <numeric>

#include "retia/apps/version.h"
#include "retia/engine/base/clock.h"
#include "retia/engine/base/device.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/distributed/digest.h"
#include "retia/engine/distributed/shared_checkpoint.h"
#include "retia/engine/io/content_digest.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/io/safetensors.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/setting.h"
#include "retia/trainers/data/description.h"
#include "retia/trainers/evaluators/costed.h"

namespace retia {
namespace {

constexpr int64_t kScoringBatch = 256;
constexpr double kSecondsBetweenTrials = 0.1;

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

std::string digest_of(const NamedTensors& weights) {
  std::string all;
  for (const auto& [name, tensor] : weights) {
    all += name + content_digest(raw_bytes(storable(tensor)));
  }
  return content_digest(all);
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

std::function<std::string(const Architecture&)> key_of(const Program& program,
                                                       const std::string& space,
                                                       std::vector<Mutable> mutables) {
  auto key = program.spaces.key(space);
  return key ? key : [mutables = std::move(mutables)](const Architecture& architecture) {
    return choices_to_json(architecture, mutables).dump();
  };
}

Task task_of(const Dataset& set) {
  return {set.sample_shape(), std::max<int64_t>(set.n_classes, 1)};
}

void check_has_classes(const Dataset& set, const std::string& command) {
  TORCH_CHECK(set.n_classes > 0, "data set '", set.name, "' holds numbers to predict, but ",
              command,
              " trains models to tell classes apart: `retia explore --evaluator regression` "
              "searches for such data");
}

at::Device open_device(const Config& config, Ranks* ranks) {
  if (ranks != nullptr) {
    const Json code = program_description();
    check_same_start(*ranks, {{"code", {{"version", code["version"]}, {"commit", code["commit"]}}},
                              {"options", config.resolved()}});
  }
  if (config.run.threads > 0) {
    at::set_num_threads(static_cast<int>(config.run.threads));
  } else if (ranks != nullptr && std::getenv("OMP_NUM_THREADS") == nullptr) {
    at::set_num_threads(
        static_cast<int>(threads_of_a_rank(ranks->launch(), at::get_num_threads(), read_cpus())));
  }
  at::manual_seed(static_cast<uint64_t>(config.run.seed));
  if (ranks != nullptr && config.run.device == "cuda") {
    claim_gpu(ranks->local_rank());
  }
  // Where trials run in other processes this one leaves the GPU to them.
  const bool trains_here = config.runner == "inline";
  return open_device(trains_here ? config.run.device : "cpu");
}

Workbench open_workbench(const Program& program, const Config& config, Ranks* ranks) {
  const at::Device device = open_device(config, ranks);
  if (!config.names_data && (ranks == nullptr || ranks->is_first())) {
    std::cerr << "no --data was given: the data are '" << config.data.name << "'\n";
  }
  DataSplits data = program.data_sets.load(config.data);
  const bool evaluator_judges = config.command == "explore" || config.command == "trial";
  if (!evaluator_judges) {
    check_has_classes(data.train, config.command);
  }
  if (ranks != nullptr) {
    check_same_start(*ranks, {{"data", describe_samples(data)}});
  }
  Task task = task_of(data.train);
  return {device, dtype_of(config.run.precision), std::move(data), std::move(task), ranks};
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
           .dtype = stored_in(dtype),
           .rank = ranks == nullptr ? 0 : ranks->rank(),
           .n_ranks = ranks == nullptr ? 1 : ranks->size()}};
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
           .dtype = stored_in(dtype)}};
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

ir::Space explored_space(const Program& program, const Config& config, const Task& task) {
  return search_space(program, config, task)
      .with(ir::settings_in(config.evaluator_options, "evaluator"));
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

SpaceReference written_reference(const Json& config) {
  Json options = config.at("space");
  const auto name = options.at("name").get<std::string>();
  options.erase("name");
  return {name, options.empty() ? Json() : options};
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
  network->to(bench.device, stored_in(bench.dtype));
  network->set_precision(bench.dtype);
  network->set_executor(executor_of(config.run.executor));
  return network;
}

bool is_finished(const std::optional<RunDirectory>& directory, Ranks& ranks) {
  return ranks.any(directory && directory->state() == RunState::Finished);
}

TrainedSupernet read_supernet(const Program& program, const Config& config, const Task& task) {
  const std::filesystem::path run = config.run.checkpoint;
  const Json written = read_format(run / "config.json", "retia.config", 1);
  TORCH_CHECK(written.value("/space/name"_json_pointer, Json()).is_string() &&
                  written.value("/command"_json_pointer, Json()).is_string(),
              (run / "config.json").string(), " is damaged: it names no space or no command");
  TORCH_CHECK(written.at("space").at("name") == config.space, run.string(), " is a run in space ",
              written.at("space").at("name").dump(), ", expected '", config.space, "'");
  ir::Graph graph =
      ir::graph_from_json(read_format(run / "space.json", "retia.graph", 1), program.operations);
  check_suits(graph, task, (run / "space.json").string());
  ir::Space space = written_space(program, written, std::move(graph), task);
  const CheckpointStore checkpoints(newest_checkpoints(run));
  std::optional<SplitRecord> split = read_split(run);
  std::optional<Checkpoint> saved;
  if (written.at("command") == "retrain" && split && !split->valid.empty()) {
    saved = checkpoints.best();
  }
  if (!saved) {
    saved = checkpoints.newest([](const std::string& warning) { std::cerr << warning << '\n'; });
  }
  TORCH_CHECK(saved.has_value(), run.string(), " holds no checkpoint yet: let it train an epoch");
  return {written.at("command"),
          written_reference(written),
          std::move(space),
          trained_weights(*saved),
          std::move(split),
          digest_of(trained_weights(*saved)),
          saved->state.value("data", Json())};
}

TrialObserver::TrialObserver(const RunOptions& options, const ExperimentOptions& limits,
                             const Evaluator& evaluator, const RunDirectory* directory)
    : directory_(directory),
      quiet_(options.quiet),
      limits_(limits),
      objective_(evaluator.objectives().front()),
      started_(now()) {}

bool TrialObserver::stop_requested() {
  return stop_.requested() || (directory_ != nullptr && directory_->was_removed());
}

void TrialObserver::begin(const Experiment& experiment) {
  n_before_ = n_trials_ = experiment.n_trials();
  best_ = experiment.best();
  seconds_before_ = experiment.seconds();
  started_ = now();
  if (const int64_t again = experiment.n_interrupted(); !quiet_ && n_before_ + again > 0) {
    std::cerr << "resumed: " << n_before_ << " trials ended, " << again << " run again\n";
  }
}

void TrialObserver::on_end(const Trial& trial) {
  ++n_trials_;
  --n_running_;
  if (improves(objective_, trial, best_)) {
    best_ = trial;
  }
  const double elapsed = now() - started_;
  if (quiet_ || (shown_ >= 0 && elapsed < shown_ + kSecondsBetweenTrials)) {
    return;
  }
  shown_ = elapsed;
  std::string line =
      c10::str("trial ", trial.proposal.id, ": ", Json(trial.evaluation.status).get<std::string>());
  if (has_succeeded(trial)) {
    line += ", " + shown(objective_, trial.evaluation.objectives.front());
  }
  line += trial.evaluation.error.empty() ? "" : ", " + trial.evaluation.error;
  if (best_) {
    line +=
        c10::str("; best ", shown_with_direction(objective_, best_->evaluation.objectives.front()),
                 " of trial ", best_->proposal.id);
  }
  line += n_running_ > 0 ? c10::str("; ", n_running_, " running") : "";
  std::cerr << line + remaining(elapsed) + "\n";
}

/// "; 12/300, 0:01:10 left", by the limit that comes first.
std::string TrialObserver::remaining(double elapsed) const {
  double left = std::numeric_limits<double>::infinity();
  std::string text;
  if (limits_.max_trials > 0) {
    text = c10::str("; ", n_trials_, "/", limits_.max_trials);
    left = elapsed * static_cast<double>(limits_.max_trials - n_trials_) /
           static_cast<double>(n_trials_ - n_before_);
  }
  if (limits_.max_duration > 0) {
    left = std::min(left, std::max(0.0, limits_.max_duration - seconds_before_ - elapsed));
  }
  if (!std::isfinite(left)) {
    return text;
  }
  char time[32];
  const auto seconds = static_cast<int64_t>(left);
  std::snprintf(time, sizeof time, "%d:%02d:%02d left", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  return (text.empty() ? "; " : text + ", ") + time;
}

std::string shown(const Objective& objective, double value) {
  if (objective.name == "accuracy") {
    return percent(value);
  }
  char text[64];
  std::snprintf(text, sizeof text, "%s %.6g", objective.name.c_str(), value);
  return text;
}

std::string shown_with_direction(const Objective& objective, double value) {
  return objective.name == "accuracy" ? shown(objective, value)
                                      : c10::str(shown(objective, value), " (",
                                                 Json(objective.direction).get<std::string>(), ")");
}

std::unique_ptr<Evaluator> make_evaluator(const Program& program, const Config& config,
                                          const Workbench& bench, const ir::Space& space) {
  const EvaluatorContext context{program.data_sets, bench.device, bench.dtype,
                                 executor_of(config.run.executor),
                                 key_of(program, config.space, space.mutables())};
  std::vector<Mutable> mutables = space.mutables();
  ir::add_mutables(mutables, ir::settings_in(config.evaluator_options, "evaluator"));
  TORCH_CHECK(mutables.size() == space.mutables().size(), mutables.back().scope,
              " is a choice: only `retia explore` decides it with the architecture");
  std::unique_ptr<Evaluator> evaluator = evaluator_from_json(
      program.evaluators, {{"name", config.evaluator}, {"options", config.evaluator_options}},
      context);
  const CostsOptions costs = {config.experiment.costs, config.experiment.window.table,
                              config.space};
  if (costs.costs.empty()) {
    return evaluator;
  }
  for (const std::string& cost :
       costs.costs) {  // what a table lacks is told before the first trial
    ir::cost_in(space, operation_cost(Json(cost).get<CostMeasure>(), costs.table, costs.space));
  }
  return std::make_unique<CostedEvaluator>(std::move(evaluator), costs);
}

std::filesystem::path checkpoints_of(const std::filesystem::path& run, int64_t stage) {
  const std::filesystem::path first = run / "checkpoints";
  return stage == 0 ? first : first / ("stage" + std::to_string(stage));
}

static bool has_saved(const std::filesystem::path& run, int64_t stage) {
  return !CheckpointStore(checkpoints_of(run, stage)).steps().empty();
}

bool holds_checkpoints(const std::filesystem::path& run) { return has_saved(run, 0); }

std::filesystem::path newest_checkpoints(const std::filesystem::path& run) {
  int64_t stage = 0;
  while (has_saved(run, stage + 1)) {
    ++stage;
  }
  return checkpoints_of(run, stage);
}

Ending train(Trainer& trainer, const std::optional<RunDirectory>& directory, RunObserver& observer,
             const Config& config, Ranks& ranks, int64_t stage) {
  std::optional<CheckpointStore> checkpoints;
  std::optional<Checkpoint> saved;
  bool has_ended = false;
  if (directory) {
    checkpoints.emplace(checkpoints_of(directory->path(), stage));
    saved = checkpoints->newest([&](const std::string& warning) { observer.note(warning); });
    has_ended = saved && has_saved(directory->path(), stage + 1);
  }
  has_ended = ranks.any(has_ended);
  if (ranks.size() > 1 && ranks.any(saved.has_value())) {
    saved = broadcast(ranks, saved.value_or(Checkpoint()));
  }
  if (has_ended) {
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
    const int64_t step = trainer.steps_done();
    if (checkpoints && saved->state.value("is_best", false) &&
        std::filesystem::exists(checkpoints->path(step))) {
      checkpoints->mark_best(step);
    }
    observer.note("resumed after step " + std::to_string(step));
  } else if (stage == 0) {
    observer.load_state({{"metrics", 0}, {"events", 0}});
  }
  const Ending ending = trainer.fit(observer, checkpoints ? &*checkpoints : nullptr);
  observer.check_folder();
  if (ending == Ending::Stopped) {
    ranks.any(false);  // the first has saved: a launcher may end all where one of them ends
    observer.note("stopped after step " + std::to_string(trainer.steps_done()) +
                  "; continue with the same command and --resume (retia " + config.command +
                  " … --out " + config.run.out + " --resume)");
  }
  return ending;
}

}  // namespace retia
