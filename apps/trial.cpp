#include <ATen/Parallel.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/workbench.h"
#include "retia/engine/architecture_json.h"
#include "retia/engine/device.h"
#include "retia/engine/experiment/fork_server.h"
#include "retia/engine/experiment/trial_file.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/precision.h"

namespace retia {
namespace {

std::vector<TrialResult> run_trials(const Program& program, const TrialFile& file,
                                    const StopSignal& stop) {
  const TrialSetting& setting = file.setting;
  if (setting.threads > 0) {
    at::set_num_threads(static_cast<int>(setting.threads));
  }
  const EvaluatorContext context{program.data_sets, open_device(setting.device),
                                 dtype_of(setting.precision), executor_of(setting.executor),
                                 key_of(program, setting.space, file.mutables)};
  const std::unique_ptr<Evaluator> evaluator =
      evaluator_from_json(program.evaluators, setting.evaluator, context);
  return run_job(*evaluator, file.job, setting.weights, [&stop] { return stop.requested(); });
}

/// Runs the trials of a file and leaves the results beside it. An evaluator that cannot be made
/// fails them, as one that throws does.
std::vector<TrialResult> run_trial_file(const Program& program, const std::filesystem::path& path) {
  const StopSignal stop;
  const TrialFile file = read_trial_file(path, program.operations);
  std::vector<TrialResult> results;
  try {
    results = run_trials(program, file, stop);
  } catch (const std::exception& error) {
    for (const Proposal& proposal : file.job.proposals) {
      results.push_back(
          {.proposal = proposal,
           .evaluation = {.status = TrialStatus::Failed, .error = message_of(error)}});
    }
  }
  write_results(path, results, file.job.attempt);
  return results;
}

int exit_code(const std::vector<TrialResult>& results) {
  for (const TrialResult& result : results) {
    if (result.evaluation.status == TrialStatus::Stopped) {
      return kInterrupted;
    }
  }
  return kDone;
}

/// "trial 3: succeeded, 0.91, 1.2 s"
void print(const TrialResult& result) {
  std::cout << "trial " << result.proposal.id << ": "
            << Json(result.evaluation.status).get<std::string>();
  for (const double objective : result.evaluation.objectives) {
    std::cout << ", " << objective;
  }
  if (!result.evaluation.error.empty()) {
    std::cout << ", " << result.evaluation.error;
  }
  std::cout << ", " << result.seconds << " s" << std::endl;
}

int serve(const Program& program) {
  int type = 0;
  socklen_t size = sizeof type;
  TORCH_CHECK(
      ::getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET,
      "trial --server is what `explore --runner local` starts: give a file");
  serve_trials(STDIN_FILENO, [&program](const std::filesystem::path& file) -> int {
    try {
      return exit_code(run_trial_file(program, file));
    } catch (const std::exception& error) {
      std::cerr << message_of(error) << std::endl;
      return kFailed;
    }
  });
  return kDone;
}

/// Returns an evaluation as one JSON object, with the first objective as "metric".
Json described(const Evaluation& evaluation, const std::vector<Objective>& objectives) {
  Json json(evaluation.metrics);
  for (size_t i = 0; i < objectives.size(); ++i) {
    json[objectives[i].name] = evaluation.objectives.at(i);
  }
  json["metric"] = evaluation.objectives.front();
  return json;
}

/// Returns whether the words are those of runners: one file, which is a trial file or cannot be
/// read.
bool is_trial_file(const Words& words) {
  if (words.size() != 1 || words.front().rfind('-', 0) == 0) {
    return false;
  }
  try {
    return read_json(words.front()).value("format", "") == "retia.trial";
  } catch (const std::exception&) {
    return true;
  }
}

int run_for_runner(const Program& program, const std::filesystem::path& file) {
  const std::vector<TrialResult> results = run_trial_file(program, file);
  for (const TrialResult& result : results) {
    print(result);
  }
  return exit_code(results);
}

int try_one(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const ir::Space space = search_space(program, config, bench.task);
  const std::unique_ptr<Evaluator> evaluator = make_evaluator(program, config, bench, space);
  const Architecture architecture =
      space.canonical(read_architecture(config.run.architecture, space.mutables(), config.space));
  const ir::Graph model = evaluator->reads_model() ? space.model(architecture) : ir::Graph("");
  if (evaluator->reads_model()) {
    ir::infer(model);
  }
  const StopSignal stop;
  const Evaluation evaluation = evaluator->evaluate(
      model, {{.architecture = architecture}, [&stop] { return stop.requested(); }});
  if (evaluation.status == TrialStatus::Stopped) {
    return kInterrupted;
  }
  TORCH_CHECK(evaluation.status == TrialStatus::Succeeded, evaluation.error);
  const Json found = described(evaluation, evaluator->objectives());
  check_finite(found, "the evaluator's result");
  std::cout << found.dump() << std::endl;
  return kDone;
}

}  // namespace

Command commands::trial() {
  Command command = configured(
      {.name = "trial",
       .summary = "tries one model, for a tuner from outside, and prints its metric",
       .positional = "run.architecture",
       .flags = {"architecture", "evaluator", "epochs", "space", "data", "data-dir", "batch-size",
                 "seed", "device", "precision", "executor", "threads", "quiet"},
       .required = {"architecture"},
       .sections = {"strategy", "evaluator", "experiment"}},
      try_one);
  command.read = [by_hand = command.read](const Program& program, const Words& words) -> Work {
    if (words == Words{"--server"}) {
      return [&program] { return serve(program); };
    }
    if (is_trial_file(words)) {
      return [&program, file = words.front()] { return run_for_runner(program, file); };
    }
    return by_hand(program, words);
  };
  return command;
}

}  // namespace retia
