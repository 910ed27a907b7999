#include "retia/apps/run_record.h"

#include <ATen/Parallel.h>

#include <iostream>

#include "retia/apps/resuming.h"
#include "retia/apps/version.h"
#include "retia/engine/base/clock.h"
#include "retia/engine/distributed/digest.h"
#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/io/checkpoint.h"
#include "retia/engine/io/content_digest.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/process.h"
#include "retia/engine/ir/graph_difference.h"
#include "retia/engine/ir/json.h"
#include "retia/trainers/data/description.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecord = "run.json";
constexpr const char* kRecordFormat = "retia.run";
constexpr int64_t kRecordVersion = 1;

/// Splits "a,b" at commas.
Json split_at_commas(const std::string& text) {
  Json list = Json::array();
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    list.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return list;
}

/// Describes the process of a run, which differs from machine to machine.
Json this_process(const Config& config) {
  Json process = program_description();
  process["host"] = host_name();
  process["threads"] = at::get_num_threads();
  process["command_line"] = config.words;
  process["began"] = utc_now();
  return process;
}

/// The files that options name, by option. Those that are compared otherwise are left out.
Json files_named_in(const Json& options, const std::string& path, const Json& known) {
  Json found = Json::object();
  for (const auto& [key, value] : options.items()) {
    const std::string name = path + key;
    if (value.is_object()) {
      found.update(files_named_in(value, name + ".", known));
    } else if (value.is_string() && !is_compared_otherwise(name)) {
      std::error_code ignored;
      const auto file = value.get<std::string>();
      const bool is_path = file.find_first_of("./") != file.npos;
      if (is_path && fs::is_regular_file(file, ignored)) {
        found[name] = describe_file(file, known.value(name, Json()));
      }
    }
  }
  return found;
}

Json parents_of(const Config& config) {
  Json parents = Json::array();
  for (const std::string& path : {config.run.checkpoint, config.run.architecture}) {
    const fs::path run =
        path == config.run.checkpoint ? fs::path(path) : fs::path(path).parent_path();
    if (!path.empty() && fs::exists(run / "config.json")) {
      parents.push_back(fs::weakly_canonical(run).string());
    }
  }
  return parents;
}

/// Describes what a run is made of now. `known`: the record of an earlier process, or null.
Json made_of(const Config& config, const Workbench& bench, const ir::Graph& graph, const Json& more,
             const Json& known) {
  const Json before = known.is_object() ? known : Json::object();
  const Json options = config.resolved();
  Json data = describe(bench.data, config.data, before.value("data", Json()));
  data["valid_fraction"] = config.data.valid_fraction;
  data["split_seed"] = config.run.seed;
  const bool is_classified = bench.data.train.n_classes > 0;
  return {
      {"format", kRecordFormat},
      {"version", kRecordVersion},
      {"command", config.command},
      {"options", options},
      {"graph", {{"digest", ir::digest(graph)}, {"graph", ir::to_json(graph)}}},
      {"data", std::move(data)},
      {"files", files_named_in(options, "", before.value("files", Json::object()))},
      {"more", more},
      {"task", is_classified ? "classification" : "regression"},
      {"loss", is_classified ? "cross_entropy" : "squared_error"},
      {"scores", is_classified ? Json{"loss", "accuracy"} : Json{"loss"}},
      {"tags", config.run.tag.empty() ? before.value("tags", Json::array())
                                      : split_at_commas(config.run.tag)},
      {"note", config.run.note.empty() ? before.value("note", Json("")) : Json(config.run.note)},
      {"parents", before.value("parents", parents_of(config))},
      {"changes", before.value("changes", Json::array())},
      {"processes", before.value("processes", Json::array())}};
}

/// Tells where this process is another than the last, and adds it to the record.
void add_process(Json& record, const Config& config) {
  const Json now = this_process(config);
  if (!record["processes"].empty() && !config.run.quiet) {
    for (const char* key :
         {"version", "commit", "torch", "cuda", "instruction_set", "host", "threads"}) {
      const Json before = record["processes"].back().value(key, Json());
      if (before != now.value(key, Json())) {
        std::cerr << "resumed with another " << key << ": was " << before.dump() << ", is "
                  << now.value(key, Json()).dump() << '\n';
      }
    }
  }
  record["processes"].push_back(now);
}

/// From which epoch or trial on a change holds.
Json position_of(const fs::path& run) {
  if (fs::exists(store_path(run))) {
    return {{"trial", list_trials(run).trials.size()}};
  }
  const auto saved = CheckpointStore(newest_checkpoints(run)).newest([](const std::string&) {});
  return {{"epoch", saved ? saved->state.value("epoch", int64_t{0}) : int64_t{0}}};
}

}  // namespace

Json read_run_record(const fs::path& run) {
  return fs::exists(run / kRecord) ? read_format(run / kRecord, kRecordFormat, kRecordVersion)
                                   : Json();
}

RunDirectory open_run_directory(const Program& program, const Config& config,
                                const Workbench& bench, const ir::Graph& graph, const Json& more) {
  const Json options = config.resolved();
  const fs::path out = config.run.out;
  if (!config.run.resume) {
    RunDirectory directory = RunDirectory::create(out, options);
    Json record = made_of(config, bench, graph, more, nullptr);
    add_process(record, config);
    directory.write(kRecord, record);
    return directory;
  }
  Json record;
  std::vector<JsonChange> changes;
  RunDirectory directory = RunDirectory::resume(out, options, [&](const Json& before) {
    const Json known = read_run_record(out);
    record = made_of(config, bench, graph, more, known);
    changes = changes_on_resume(program, config, {out, before, known}, record);
  });
  if (record.is_null()) {  // new
    record = made_of(config, bench, graph, more, nullptr);
  }
  for (const JsonChange& change : changes) {
    const Json from = position_of(out);
    record["changes"].push_back(
        {{"option", change.key}, {"was", change.was}, {"is", change.is}, {"after", from}});
    std::cerr << to_string(change) << ", after " << from.begin().key() << ' '
              << from.begin().value().dump() << '\n';
    if (change.key == "trainer.epochs") {
      std::cerr << "the learning rate follows the schedule of " << change.is.dump()
                << " epochs from there on\n";
      directory.reopen();
    }
  }
  add_process(record, config);
  directory.write(kRecord, record);
  return directory;
}

std::optional<RunDirectory> open_run_directory(const Program& program, const Config& config,
                                               const Workbench& bench, const ir::Graph& graph,
                                               const Json& more, Ranks& ranks) {
  if (ranks.size() > 1) {
    check_same_start(ranks, {{"graph", ir::digest(graph)}, {"more", more}});
  }
  return ranks.is_first() ? std::optional(open_run_directory(program, config, bench, graph, more))
                          : std::nullopt;
}

}  // namespace retia
