#include "retia/engine/experiment/slurm_queue.h"

#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "retia/engine/io/process.h"

namespace retia {
namespace {

constexpr double kCommandTimeLimit = 120;   // seconds, for a command of Slurm's
constexpr size_t kLongestAnswer = 1 << 30;  // of which no part may be missing

/// Quotes a text as one word of a shell command.
std::string as_word(const std::string& text) {
  std::string word(1, '\'');
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\'";
    }
    word += c;
  }
  word += '\'';
  return word;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : between) + word;
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> split(const std::string& line, char between) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, between);) {
    fields.push_back(field);
  }
  return fields;
}

ProcessResult ask(const std::string& command, const std::string& input = "") {
  // A step's srun goes on when the command that has started it ends.
  return run_process(command, {.input = input,
                               .time_limit = kCommandTimeLimit,
                               .kept = kLongestAnswer,
                               .descendants = Descendants::Leave});
}

bool succeeded(const ProcessResult& result) {
  return result.ending == ProcessEnding::Exited && result.code == 0;
}

/// Returns whether a refusal only means that the controller is unreachable or busy.
bool is_passing(const ProcessResult& result) {
  if (result.ending != ProcessEnding::Exited) {
    return true;
  }
  for (const char* sign : {"contact slurm", "timed out", "temporarily", "standby mode",
                           "Zero Bytes", "Connection", "not connected", "communication"}) {
    if (result.err.find(sign) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::string last_line(const std::string& text) {
  const std::vector<std::string> lines = lines_of(text);
  return lines.empty() ? "it said nothing" : lines.back();
}

/// Returns the arguments that both kinds of jobs need; the user's own come last, so they win.
std::string shared_arguments(const SlurmOptions& options, int64_t threads) {
  return c10::str(threads > 0 ? c10::str(" --cpus-per-task=", threads) : "",
                  options.time.empty() ? "" : " --time=" + as_word(options.time), " ",
                  options.arguments);
}

/// Runs the trial whose file is the shell's first argument.
std::string run_trial(const std::filesystem::path& program) {
  return "export OMP_NUM_THREADS=\"${OMP_NUM_THREADS:-${SLURM_CPUS_ON_NODE:-1}}\"\n"
         "exec " +
         as_word(program) + " trial \"$1\" >>\"${1%/*}/log.txt\" 2>&1\n";
}

class SlurmBatch final : public SlurmQueue {
 public:
  SlurmBatch(const SlurmOptions& options, int64_t threads, std::filesystem::path trials,
             std::filesystem::path program)
      : trials_(std::move(trials)),
        program_(std::move(program)),
        arguments_((options.partition.empty() ? "" : " --partition=" + as_word(options.partition)) +
                   shared_arguments(options, threads)) {}

  std::optional<std::vector<std::string>> submit(
      const std::vector<std::filesystem::path>& files) override {
    const size_t n = files.size();
    std::string script = "#!/bin/sh\nset --";
    std::string comment = trials_.string() + ":";  // what submitted() reads
    for (const std::filesystem::path& file : files) {
      script += c10::str(" ", as_word(file));
      comment += c10::str(" ", file.parent_path().filename().string());
    }
    script += "\nshift \"${SLURM_ARRAY_TASK_ID:-0}\"\n" + run_trial(program_);
    const ProcessResult result =
        ask("sbatch --parsable --ntasks=1 --job-name=" +
                as_word("retia-" + trials_.parent_path().filename().string()) +
                " --output=" + as_word(trials_ / "slurm.log") + " --open-mode=append --comment=" +
                as_word(comment) + (n > 1 ? c10::str(" --array=0-", n - 1) : "") + arguments_,
            script);
    if (!succeeded(result)) {
      TORCH_CHECK(is_passing(result), "sbatch takes no job: ", last_line(result.err));
      return std::nullopt;
    }
    // "ID" or "ID;CLUSTER"
    const std::string job = result.out.substr(0, result.out.find_first_of(";\n"));
    std::vector<std::string> ids;
    for (size_t i = 0; i < n; ++i) {
      ids.push_back(n > 1 ? c10::str(job, "_", i) : job);
    }
    return ids;
  }

  std::optional<std::map<std::string, SlurmState>> states(
      const std::vector<std::string>& ids) override {
    const ProcessResult result = ask(
        "squeue --noheader --array --states=all --format='%i|%T|%r' --jobs=" + joined(ids, ","));
    if (succeeded(result)) {
      return parse_states(result.out);
    }
    // What it says of a single job that it has forgotten.
    const bool forgotten = result.err.find("Invalid job id") != std::string::npos;
    return forgotten ? std::optional(std::map<std::string, SlurmState>()) : std::nullopt;
  }

  std::optional<std::map<std::filesystem::path, std::string>> submitted() override {
    const ProcessResult result = ask("squeue --noheader --array --me --format='%i|%T|%r|%k'");
    if (!succeeded(result)) {
      return std::nullopt;
    }
    std::map<std::filesystem::path, std::string> jobs;
    for (const std::string& line : lines_of(result.out)) {
      const std::vector<std::string> fields = split(line, '|');
      const std::string opening = trials_.string() + ": ";
      if (fields.size() != 4 || fields[3].rfind(opening, 0) != 0 ||
          !is_alive({fields[1], fields[2]})) {
        continue;
      }
      const std::vector<std::string> folders = split(fields[3].substr(opening.size()), ' ');
      const size_t index = fields[0].find('_');
      const size_t i = index == fields[0].npos ? 0 : std::stoul(fields[0].substr(index + 1));
      if (i < folders.size()) {
        jobs[trials_ / folders[i] / "trial.json"] = fields[0];
      }
    }
    return jobs;
  }

  bool cancel(const std::vector<std::string>& ids) override {
    return succeeded(ask("scancel --quiet " + joined(ids, " ")));
  }

 private:
  std::filesystem::path trials_, program_;
  std::string arguments_;
};

/// Steps of the allocation that this process is in: an srun each, whose process is the id. They
/// outlive this process, but not the allocation.
class SlurmSteps final : public SlurmQueue {
 public:
  SlurmSteps(const SlurmOptions& options, int64_t threads, std::filesystem::path trials,
             std::filesystem::path program)
      : trials_(std::move(trials)),
        program_(std::move(program)),
        arguments_(shared_arguments(options, threads)) {
    // A step inside a step shares what the outer one holds. Numbers near 2^32 stand for a job's
    // script and for the shell of an allocation.
    const char* step = std::getenv("SLURM_STEP_ID");
    inside_step_ = step != nullptr && std::strtoull(step, nullptr, 10) < 4'000'000'000;
  }

  std::optional<std::vector<std::string>> submit(
      const std::vector<std::filesystem::path>& files) override {
    std::vector<std::string> ids;
    for (const std::filesystem::path& file : files) {
      const ProcessResult result = ask(c10::str(
          "srun --nodes=1 --ntasks=1 --exact", inside_step_ ? " --overlap" : "", arguments_,
          " /bin/sh -c ", as_word(run_trial(program_)), " retia ", as_word(file), " </dev/null >>",
          as_word(file.parent_path() / "log.txt"), " 2>&1 & echo $!"));
      TORCH_CHECK(succeeded(result), "srun cannot be started: ", last_line(result.err));
      ids.push_back(result.out.substr(0, result.out.find('\n')));
    }
    return ids;
  }

  std::optional<std::map<std::string, SlurmState>> states(
      const std::vector<std::string>& ids) override {
    std::map<std::string, SlurmState> states;
    for (const std::string& id : ids) {
      if (file_of(id)) {
        states[id] = {"RUNNING", "None"};
      }
    }
    return states;
  }

  std::optional<std::map<std::filesystem::path, std::string>> submitted() override {
    std::map<std::filesystem::path, std::string> jobs;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string id = entry.path().filename();
      const auto file = id.find_first_not_of("0123456789") == id.npos ? file_of(id) : std::nullopt;
      if (file && file->parent_path().parent_path() == trials_) {
        // An srun has a child of the same words.
        std::string& first = jobs.emplace(*file, id).first->second;
        first = std::stoll(id) < std::stoll(first) ? id : first;
      }
    }
    return jobs;
  }

  bool cancel(const std::vector<std::string>& ids) override {
    // A process by now may be anybody's.
    for (const std::string& id : ids) {
      if (file_of(id)) {
        ask("kill -TERM " + id);
      }
    }
    return true;
  }

 private:
  /// The trial that the process, an srun, runs; none: it is another, or has ended.
  static std::optional<std::filesystem::path> file_of(const std::string& process) {
    std::ifstream file("/proc/" + process + "/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0');) {
      words.push_back(word);
    }
    const bool is_srun = !words.empty() && std::filesystem::path(words[0]).filename() == "srun";
    return is_srun ? std::optional<std::filesystem::path>(words.back()) : std::nullopt;
  }

  std::filesystem::path trials_, program_;
  std::string arguments_;
  bool inside_step_;
};

}  // namespace

bool is_alive(const SlurmState& state) {
  static const std::set<std::string> over = {
      "BOOT_FAIL",     "CANCELLED", "COMPLETED", "DEADLINE",     "FAILED",       "NODE_FAIL",
      "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",   "REQUEUE_HOLD", "SPECIAL_EXIT", "TIMEOUT"};
  const bool held_for_good = state.reason.find("requeued_held") != std::string::npos ||
                             state.reason.find("requeued held") != std::string::npos ||
                             state.reason == "JobHoldMaxRequeue" ||
                             state.reason == "DependencyNeverSatisfied";
  return over.count(state.name) == 0 && !held_for_good;
}

std::map<std::string, SlurmState> parse_states(const std::string& lines) {
  std::map<std::string, SlurmState> states;
  for (const std::string& line : lines_of(lines)) {
    const std::vector<std::string> fields = split(line, '|');
    if (fields.size() >= 3) {
      states[fields[0]] = {fields[1], fields[2]};
    }
  }
  return states;
}

std::unique_ptr<SlurmQueue> open_slurm(const SlurmOptions& options, int64_t threads,
                                       const std::filesystem::path& trials,
                                       const std::filesystem::path& program) {
  const bool in_allocation = std::getenv("SLURM_JOB_ID") != nullptr;
  const std::string needed = in_allocation ? "srun" : "sbatch squeue scancel";
  TORCH_CHECK(succeeded(ask("for name in " + needed + "; do command -v $name || exit 1; done")),
              "--runner slurm needs ", needed,
              " in PATH: give the command on a machine of the cluster, or --runner local");
  if (in_allocation) {
    return std::make_unique<SlurmSteps>(options, threads, trials, program);
  }
  return std::make_unique<SlurmBatch>(options, threads, trials, program);
}

}  // namespace retia
