#include "retia/engine/experiment/ranked_runner.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "retia/engine/experiment/run_job.h"
#include "retia/engine/experiment/trial_file.h"

namespace retia {
namespace {

Json plain(const Architecture& architecture) {
  Json json = Json::object();
  for (const auto& [label, decision] : architecture) {
    json[label] = decision.chosen;
  }
  return json;
}

Architecture from_plain(const Json& json) {
  Architecture architecture;
  for (const auto& [label, chosen] : json.items()) {
    architecture[label].chosen = chosen.get<std::vector<int64_t>>();
  }
  return architecture;
}

Json to_json(const Job& job) {
  Json trials = Json::array();
  for (const Trial& trial : job.trials) {
    trials.push_back({{"id", trial.proposal.id}, {"choices", plain(trial.proposal.architecture)}});
  }
  return trials;
}

Job job_from(const Json& json) {
  Job job;
  for (const Json& trial : json) {
    job.trials.push_back(
        {.proposal = {.id = trial.at("id"), .architecture = from_plain(trial.at("choices"))}});
  }
  return job;
}

/// The texts of all ranks.
std::vector<std::string> gather(Ranks& ranks, const std::string& mine) {
  const at::Tensor sizes = ranks.gather(at::full({}, static_cast<int64_t>(mine.size()), at::kLong));
  const at::Tensor bytes = at::zeros({sizes.max().item<int64_t>()}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr<uint8_t>(), mine.data(), mine.size());
  const at::Tensor all = ranks.gather(bytes);
  std::vector<std::string> texts;
  for (int64_t r = 0; r < ranks.size(); ++r) {
    const auto* first = all[r].const_data_ptr<uint8_t>();
    texts.emplace_back(first, first + sizes[r].item<int64_t>());
  }
  return texts;
}

}  // namespace

RankedRunner::RankedRunner(Evaluator& evaluator, Ranks& ranks, std::function<bool()> stop_requested)
    : evaluator_(evaluator), ranks_(ranks), stop_requested_(std::move(stop_requested)) {}

void RankedRunner::start(Job job) { jobs_.push_back(std::move(job)); }

std::vector<Trial> RankedRunner::wait(double /*seconds*/) {
  std::vector<Job> jobs;
  Json said = Json::array();
  while (!jobs_.empty() && static_cast<int64_t>(jobs.size()) < ranks_.size()) {
    said.push_back(to_json(jobs_.front()));
    jobs.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  if (jobs.empty()) {
    return {};
  }
  try {
    ranks_.broadcast(Json({{"try", said}}).dump());
    return run(jobs);
  } catch (const c10::Error&) {
    // A rank is lost, which its next call says again.
  }
  std::vector<Trial> stopped;
  for (Job& job : jobs) {
    for (Trial& trial : job.trials) {
      trial.evaluation = {.status = TrialStatus::Stopped};
      stopped.push_back(std::move(trial));
    }
  }
  return stopped;
}

std::vector<Trial> RankedRunner::run(std::vector<Job> jobs) {
  const auto rank = static_cast<size_t>(ranks_.rank());
  for (Job& job : jobs) {
    for (Trial& trial : job.trials) {
      trial.stop_requested = stop_requested_;
      ++trial.n_attempts;
    }
  }
  if (rank < jobs.size()) {
    jobs[rank].trials = run_job(evaluator_, jobs[rank]);
  }
  const std::vector<Trial> mine = rank < jobs.size() ? jobs[rank].trials : std::vector<Trial>();
  const bool stops = ranks_.any(stop_requested_());
  const std::vector<std::string> texts =
      gather(ranks_, results_to_json(mine).dump(-1, ' ', false, Json::error_handler_t::replace));
  std::vector<Trial> all;
  for (size_t r = 0; r < jobs.size(); ++r) {
    for (Trial& trial : results_from_json(Json::parse(texts[r]), jobs[r])) {
      all.push_back(std::move(trial));
    }
  }
  for (size_t i = 0; stops && i < all.size(); ++i) {
    all[i].evaluation = {.status = TrialStatus::Stopped};
  }
  return all;
}

std::optional<Architecture> RankedRunner::follow() {
  while (true) {
    const Json said = Json::parse(ranks_.broadcast(std::string()));
    if (!said.contains("try")) {
      return said.contains("found") ? std::optional(from_plain(said.at("found"))) : std::nullopt;
    }
    std::vector<Job> jobs;
    for (const Json& job : said.at("try")) {
      jobs.push_back(job_from(job));
    }
    run(std::move(jobs));
  }
}

void RankedRunner::conclude(const std::optional<Architecture>& found) {
  const Json said = found ? Json{{"found", plain(*found)}} : Json::object();
  ranks_.broadcast(said.dump());
}

}  // namespace retia
