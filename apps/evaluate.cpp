#include <iostream>
#include <optional>

#include "retia/apps/commands.h"
#include "retia/apps/run_record.h"
#include "retia/apps/run_split.h"
#include "retia/apps/workbench.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/trainers/data/description.h"

namespace retia {
namespace {

/// The data that are given, if their test part is that of the run; none where it is another, or
/// where there are too few samples to set one apart. `split`: of the run.
std::optional<DataSplits> own_data(const Program& program, const Config& config,
                                   const SplitRecord& split) {
  try {
    DataSplits data = program.data_sets.load(config.data);
    return content_hashes(data.test) == split.test ? std::optional(std::move(data)) : std::nullopt;
  } catch (const c10::Error&) {
    return std::nullopt;  // what else is wrong is met again when all samples are loaded
  }
}

/// All samples that are given as a test part, for a model that knows `n_classes`: a table may hold
/// rows of a few of its classes.
DataSplits other_data(const Program& program, const Config& config, int64_t n_classes) {
  Dataset all = load_whole(program.data_sets, config.data);
  TORCH_CHECK(all.n_classes <= n_classes, "data set '", all.name, "' has ", all.n_classes,
              " classes, but the model was trained to tell ", n_classes, " apart");
  all.n_classes = all.holds_images() ? all.n_classes : n_classes;
  return {.train = all.subset({}), .test = std::move(all)};
}

/// Returns the training samples of the run, which give the statistics of a path of its supernet.
Dataset training_samples(const Program& program, const Json& record, const DataSplits& given) {
  if (record.is_null() || digest_of(given) == record.at("data").at("digest")) {
    return given.train;
  }
  const DataSplits own = program.data_sets.load(
      options_from_json<DataOptions>(record.at("options").at("data"), "data"));
  TORCH_CHECK(digest_of(own) == record.at("data").at("digest"),
              "the training data of the run have changed since: they give a path of its supernet "
              "its statistics");
  return own.train;
}

int run_evaluate(const Program& program, const Config& config) {
  const std::filesystem::path run = config.run.checkpoint;
  const at::Device device = open_device(config, nullptr);
  const Json record = read_run_record(run);
  const std::optional<SplitRecord> split = read_split(run);
  std::optional<DataSplits> data;
  if (record.is_null() || !split) {
    data = program.data_sets.load(config.data);
  } else {
    data = own_data(program, config, *split);
  }
  if (!data) {
    data = other_data(program, config, record.at("data").at("n_classes").get<int64_t>());
  }
  check_has_classes(data->test, config.command);
  Task task = task_of(data->test);
  const Workbench bench{device, dtype_of(config.run.precision), *std::move(data), std::move(task)};
  const TrainedSupernet trained = read_supernet(program, config, bench.task);
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
    recalibrate(network, bench.scoring(config, training_samples(program, record, bench.data)),
                kRecalibrationBatches);
  }
  ScoredSamples samples = samples_to_score(bench.data, trained.split);
  if (trained.data.is_object()) {
    set_normalisation(samples.set, trained.data.at("normalisation"));
  } else {
    std::cerr << config.run.checkpoint
              << " keeps no normalisation, since an older version made it: that of the data given "
                 "is used\n";
  }
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
