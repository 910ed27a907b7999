#include "retia/apps/commands.h"

namespace retia {
namespace {

/// Returns `names` and the flags of every command that runs models.
std::vector<std::string> with(std::vector<std::string> names) {
  for (const char* common : {"space", "data", "data-dir", "batch-size", "seed", "device",
                             "precision", "executor", "threads", "quiet"}) {
    names.emplace_back(common);
  }
  return names;
}

}  // namespace

CommandTable standard_commands() {
  CommandTable table;
  table.add({.name = "search",
             .summary = "one-shot search; writes architecture.json",
             .flags = with({"algorithm", "out", "epochs", "resume", "time-limit"}),
             .required = {"out"},
             .sections = {"algorithm"},
             .run = commands::search});
  table.add({.name = "retrain",
             .summary = "trains an architecture from scratch, and scores it",
             .flags = with({"architecture", "out", "epochs", "resume", "time-limit"}),
             .required = {"architecture", "out"},
             .run = commands::retrain});
  table.add({.name = "evaluate",
             .summary = "scores an architecture with the weights of a run",
             .flags = with({"architecture", "checkpoint"}),
             .required = {"architecture", "checkpoint"},
             .run = commands::evaluate});
  table.add({.name = "explore",
             .summary = "multi-trial search; writes the best architecture.json",
             .flags = with({"strategy", "evaluator", "out", "epochs", "resume", "max-trials",
                            "max-duration", "concurrency", "merge", "runner", "use-active-gpu",
                            "debug", "table", "keep-weights"}),
             .required = {"out"},
             .sections = {"strategy", "evaluator", "experiment", "runner", "profile"},
             .run = commands::explore});
  table.add({.name = "top",
             .summary = "the best trials of an exploration",
             .positional = "run.out",
             .flags = {"k", "format", "export"},
             .required = {"out"},
             .run = commands::top});
  table.add({.name = "show",
             .summary = "all trials of an exploration",
             .positional = "run.out",
             .flags = {"format"},
             .required = {"out"},
             .run = commands::show});
  table.add(commands::trial());
  table.add({.name = "report",
             .summary = "how far a run is, and what it has found",
             .positional = "run.out",
             .flags = {"format"},
             .required = {"out"},
             .run = commands::report});
  table.add({.name = "rank",
             .summary = "how well the weights of a search rank architectures",
             .flags = with({"checkpoint", "strategy", "out", "epochs", "resume", "max-trials",
                            "max-duration"}),
             .required = {"checkpoint", "out"},
             .sections = {"strategy", "evaluator", "experiment"},
             .run = commands::rank});
  table.add({.name = "profile",
             .summary = "measures the latency of every operation of a space on this machine",
             .positional = "space.name",
             .flags = {"space", "architecture", "data", "data-dir", "table", "force", "seed",
                       "device", "precision", "threads", "quiet"},
             .required = {"table"},
             .sections = {"profile"},
             .run = commands::profile});
  table.add({.name = "space",
             .summary = "shows a space: choices, graph, costs, what is fused",
             .positional = "space.name",
             .flags = {"space", "architecture", "data", "data-dir", "format", "profile", "table",
                       "plan", "evaluator"},
             .sections = {"evaluator", "profile"},
             .run = commands::space});
  table.add(commands::bench_search_step());
  table.add(commands::bench_kernels());
  table.add(commands::completion());
  return table;
}

}  // namespace retia
