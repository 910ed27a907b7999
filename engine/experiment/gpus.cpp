#include "retia/engine/experiment/gpus.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/process.h"

namespace retia {
namespace {

constexpr double kSecondsBetweenQuestions = 10;

std::vector<std::string> trimmed_fields(const std::string& text) {
  std::vector<std::string> fields;
  std::istringstream stream(text);
  for (std::string field; std::getline(stream, field, ',');) {
    const size_t begin = field.find_first_not_of(" \t"), end = field.find_last_not_of(" \t\r");
    fields.push_back(begin == std::string::npos ? "" : field.substr(begin, end + 1 - begin));
  }
  return fields;
}

/// The two fields of each line that nvidia-smi answers; none: there is no nvidia-smi.
std::vector<std::vector<std::string>> query(const std::string& what) {
  const ProcessResult result =
      run_process("nvidia-smi --query-" + what + " --format=csv,noheader", {.time_limit = 30});
  std::vector<std::vector<std::string>> rows;
  if (result.ending != ProcessEnding::Exited || result.code != 0) {
    return rows;
  }
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    if (std::vector<std::string> fields = trimmed_fields(line); fields.size() == 2) {
      rows.push_back(std::move(fields));
    }
  }
  return rows;
}

}  // namespace

Gpus::Gpus(const std::vector<int64_t>& wanted, ActiveGpus active) : active_(active) {
  const std::vector<std::vector<std::string>> there = query("gpu=index,uuid");
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (!wanted.empty()) {
    for (const int64_t index : wanted) {
      order_.push_back(std::to_string(index));
    }
  } else if (visible != nullptr) {
    order_ = trimmed_fields(visible);
  } else {
    for (const auto& gpu : there) {
      order_.push_back(gpu[0]);
    }
  }
  TORCH_CHECK(!order_.empty(),
              "no GPU was found for trials (nvidia-smi lists none): name them by --set "
              "runner.gpus=[0], or use --device cpu");
  for (const std::string& gpu : order_) {
    const bool known = std::any_of(there.begin(), there.end(),
                                   [&](const auto& one) { return one[0] == gpu || one[1] == gpu; });
    TORCH_CHECK(known || there.empty(), "there is no GPU ", gpu,
                " (runner.gpus): nvidia-smi lists ", there.size(), ", counted from 0");
    TORCH_CHECK(states_.emplace(gpu, State()).second, "GPU ", gpu, " is named twice (runner.gpus)");
  }
  ask();
  TORCH_CHECK(std::any_of(states_.begin(), states_.end(),
                          [](const auto& state) { return !state.second.active; }),
              "other processes use all GPUs (", names(),
              "): wait for them, or share with them by --use-active-gpu");
}

/// Marks the GPUs that other processes use. A GPU with a trial of this experiment keeps its mark,
/// since it cannot always be told which processes on it are ours.
void Gpus::ask() {
  asked_ = now();
  if (active_ == ActiveGpus::Use) {
    return;
  }
  std::set<std::string> in_use;  // by uuid
  for (const auto& process : query("compute-apps=pid,gpu_uuid")) {
    if (process[0] != std::to_string(::getpid())) {
      in_use.insert(process[1]);
    }
  }
  std::set<std::string> names = in_use;
  for (const auto& gpu : query("gpu=index,uuid")) {
    if (in_use.contains(gpu[1])) {
      names.insert(gpu[0]);
    }
  }
  for (auto& [name, state] : states_) {
    state.active = state.taken ? state.active : names.contains(name);
  }
}

std::optional<std::string> Gpus::take() {
  if (now() > asked_ + kSecondsBetweenQuestions) {
    ask();
  }
  for (const std::string& name : order_) {
    State& state = states_.at(name);
    if (!state.taken && !state.active) {
      state.taken = true;
      return name;
    }
  }
  return std::nullopt;
}

void Gpus::give_back(const std::string& gpu) { states_.at(gpu).taken = false; }

std::string Gpus::names() const {
  std::string text;
  for (const std::string& gpu : order_) {
    text += (text.empty() ? "" : ", ") + gpu;
  }
  return text;
}

}  // namespace retia
