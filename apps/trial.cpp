#include <ATen/Parallel.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/workbench.h"
#include "retia/engine/base/device.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/experiment/fork_server.h"
#include "retia/engine/experiment/run_job.h"
#include "retia/engine/experiment/trial_file.h"
#include "retia/engine/experiment/try_proposal.h"
#include "retia/engine/io/files.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

std::vector<Trial> run_trials(const Program& program, const TrialFile& file,
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
  Job job = file.job;
  for (Trial& trial : job.trials) {
    trial.stop_requested = [&stop] { return stop.requested(); };
  }
  return run_job(*evaluator, std::move(job));
}

/// Runs the trials of a file and leaves the results beside it. An evaluator that cannot be made
/// fails them, as one that throws does.
std::vector<Trial> run_trial_file(const Program& program, const std::filesystem::path& path) {
  const StopSignal stop;
  const TrialFile file = read_trial_file(path, program.operations);
  std::vector<Trial> trials = file.job.trials;
  try {
    trials = run_trials(program, file, stop);
  } catch (const std::exception& error) {
    for (Trial& trial : trials) {
      trial.evaluation = {.status = TrialStatus::Failed, .error = message_of(error)};
    }
  }
  write_results(path, trials, file.job.attempt);
  return trials;
}

int exit_code(const std::vector<Trial>& trials) {
  for (const Trial& trial : trials) {
    if (trial.evaluation.status == TrialStatus::Stopped) {
      return kInterrupted;
    }
  }
  return kDone;
}

/// "trial 3: succeeded, 0.91, 1.2 s"
void print(const Trial& trial) {
  std::cout << "trial " << trial.proposal.id << ": "
            << Json(trial.evaluation.status).get<std::string>();
  for (const double objective : trial.evaluation.objectives) {
    std::cout << ", " << objective;
  }
  if (!trial.evaluation.error.empty()) {
    std::cout << ", " << trial.evaluation.error;
  }
  std::cout << ", " << trial.seconds << " s" << std::endl;
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
  const std::vector<Trial> trials = run_trial_file(program, file);
  for (const Trial& trial : trials) {
    print(trial);
  }
  return exit_code(trials);
}

int try_one(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const ir::Space space = search_space(program, config, bench.task);
  const std::unique_ptr<Evaluator> evaluator = make_evaluator(program, config, bench, space);
  const Architecture architecture =
      space.canonical(read_architecture(config.run.architecture, space.mutables(), config.space));
  const StopSignal stop;
  const Trial trial = try_proposal(space, *evaluator, {.architecture = architecture},
                                   [&stop] { return stop.requested(); });
  if (trial.evaluation.status == TrialStatus::Stopped) {
    return kInterrupted;
  }
  TORCH_CHECK(has_succeeded(trial), trial.evaluation.error);
  const Json found = described(trial.evaluation, evaluator->objectives());
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
