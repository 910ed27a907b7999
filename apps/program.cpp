#include "retia/apps/program.h"

#include <c10/util/Exception.h>
#include <malloc.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "retia/engine/suggest.h"
#include "retia/models/operations.h"

namespace retia {
namespace {

std::vector<std::string> with(std::vector<std::string> names) {
  for (const char* common : {"space", "data", "data-dir", "batch-size", "seed", "device",
                             "precision", "executor", "threads", "quiet"}) {
    names.emplace_back(common);
  }
  return names;
}

const std::vector<Command>& standard_commands() {
  static const std::vector<Command> all = {
      {"search",
       "one-shot search; writes architecture.json",
       nullptr,
       with({"algorithm", "out", "epochs", "resume", "time-limit"}),
       {"out"},
       commands::search},
      {"retrain",
       "trains an architecture from scratch, and scores it",
       nullptr,
       with({"architecture", "out", "epochs", "resume", "time-limit"}),
       {"architecture", "out"},
       commands::retrain},
      {"evaluate",
       "scores an architecture with the weights of a run",
       nullptr,
       with({"architecture", "checkpoint"}),
       {"architecture", "checkpoint"},
       commands::evaluate},
      {"explore",
       "tries models one by one; writes the best architecture.json",
       nullptr,
       with({"strategy", "evaluator", "out", "epochs", "resume", "max-trials", "max-duration",
             "concurrency", "merge", "runner", "use-active-gpu", "debug", "table", "keep-weights"}),
       {"out"},
       commands::explore},
      {"top",
       "the best trials of an exploration",
       "run.out",
       {"k", "format", "export"},
       {"out"},
       commands::top},
      {"show", "all trials of an exploration", "run.out", {"format"}, {"out"}, commands::show},
      {"trial",
       "tries one model, for a tuner from outside, and prints its metric",
       "run.architecture",
       with({"architecture", "evaluator", "epochs"}),
       {"architecture"},
       commands::trial},
      {"report",
       "how far a run is, and what it has found",
       "run.out",
       {"format"},
       {"out"},
       commands::report},
      {"rank",
       "how well the weights of a search rank architectures",
       nullptr,
       with({"checkpoint", "strategy", "out", "epochs", "resume", "max-trials", "max-duration"}),
       {"checkpoint", "out"},
       commands::rank},
      {"profile",
       "measures the latency of every operation of a space on this machine",
       "space.name",
       {"space", "architecture", "data", "data-dir", "table", "force", "seed", "device",
        "precision", "threads", "quiet"},
       {"table"},
       commands::profile},
      {"space",
       "shows a space: choices, graph, costs, what is fused",
       "space.name",
       {"space", "architecture", "data", "data-dir", "format", "profile", "table", "plan",
        "evaluator"},
       {},
       commands::space},
  };
  return all;
}

void print_help() {
  std::cout << "retia: trains weight-sharing supernets and searches neural architectures\n\n"
               "usage: retia COMMAND [options]\n\n";
  for (const Command& command : standard_commands()) {
    std::cout << "  " << command.name << std::string(12 - std::string(command.name).size(), ' ')
              << command.summary << '\n';
  }
  std::cout << "  bench       times a search step, or the fused operations: search-step, kernels\n";
  std::cout << "\n`retia COMMAND --help` lists a command's options.\n";
}

int fail(const std::string& line, ExitCode code) {
  std::cerr << "retia: " << line << std::endl;
  return code;
}

}  // namespace

void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
}

std::string message_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // Errors of nlohmann::json open with a tag that tells a user nothing.
  const size_t tag = text.find("[json.exception.");
  if (tag != text.npos) {
    text.erase(tag, text.find("] ", tag) + 2 - tag);
  }
  return text.substr(0, text.find('\n'));
}

Program::Program()
    : operations(standard_operations()),
      spaces(standard_spaces()),
      algorithms(standard_algorithms()),
      strategies(standard_strategies()),
      evaluators(standard_evaluators()),
      runners(standard_runners()),
      data_sets(standard_data_sets()) {
  add_model_operations(operations);
}

int Program::run(int argc, char** argv) const {
  std::signal(SIGXFSZ, SIG_IGN);  // the write that goes beyond a limit says so
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words.front() == "--help" || words.front() == "help") {
    print_help();
    return words.empty() ? kBadUsage : kDone;
  }
  const std::string name = words.front();
  words.erase(words.begin());
  if (name == "trial") {
    try {
      if (const std::optional<int> code = run_for_runner(*this, words)) {
        return *code;
      }
    } catch (const std::exception& error) {
      return fail(message_of(error), kFailed);
    }
  }
  std::vector<std::string> names;
  for (const Command& command : standard_commands()) {
    names.emplace_back(command.name);
    if (name != command.name) {
      continue;
    }
    if (std::find(words.begin(), words.end(), "--help") != words.end()) {
      std::cout << "retia " << name << ": " << command.summary << "\n\n"
                << describe_options(command.accepted);
      return kDone;
    }
    Config config;
    try {
      config = read_config(*this, command, words);
    } catch (const std::exception& error) {
      return fail(message_of(error), kBadUsage);
    }
    try {
      return command.run(*this, config);
    } catch (const std::exception& error) {
      return fail(message_of(error), kFailed);
    }
  }
  if (name == "bench") {
    try {
      return commands::bench(*this, words);
    } catch (const std::exception& error) {
      return fail(message_of(error), kBadUsage);
    }
  }
  names.emplace_back("bench");
  return fail("unknown command '" + name + "'" + suggestion(name, names), kBadUsage);
}

}  // namespace retia
