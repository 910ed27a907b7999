#include "retia/engine/experiment/ranked_runner.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <utility>

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
  Json proposals = Json::array();
  for (const Proposal& proposal : job.proposals) {
    proposals.push_back({{"id", proposal.id}, {"choices", plain(proposal.architecture)}});
  }
  return proposals;
}

Job job_from(const Json& json) {
  Job job;
  for (const Json& proposal : json) {
    job.models.emplace_back("");
    job.proposals.push_back(
        {.id = proposal.at("id"), .architecture = from_plain(proposal.at("choices"))});
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

void RankedRunner::start(Job job, bool /*recovered*/) { jobs_.push_back(std::move(job)); }

std::vector<TrialResult> RankedRunner::wait(double /*seconds*/) {
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
  std::vector<TrialResult> stopped;
  for (const Job& job : jobs) {
    for (const Proposal& proposal : job.proposals) {
      stopped.push_back({.proposal = proposal, .evaluation = {.status = TrialStatus::Stopped}});
    }
  }
  return stopped;
}

std::vector<TrialResult> RankedRunner::run(const std::vector<Job>& jobs) {
  const auto rank = static_cast<size_t>(ranks_.rank());
  const std::vector<TrialResult> mine = rank < jobs.size()
                                            ? run_job(evaluator_, jobs[rank], {}, stop_requested_)
                                            : std::vector<TrialResult>();
  const bool stops = ranks_.any(stop_requested_());
  const std::vector<std::string> texts =
      gather(ranks_, results_to_json(mine).dump(-1, ' ', false, Json::error_handler_t::replace));
  std::vector<TrialResult> all;
  for (size_t r = 0; r < jobs.size(); ++r) {
    for (TrialResult& result : results_from_json(Json::parse(texts[r]), jobs[r])) {
      all.push_back(std::move(result));
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
    run(jobs);
  }
}

void RankedRunner::conclude(const std::optional<Architecture>& found) {
  const Json said = found ? Json{{"found", plain(*found)}} : Json::object();
  ranks_.broadcast(said.dump());
}

}  // namespace retia
