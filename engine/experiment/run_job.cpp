#include <optional>

#include "retia/engine/clock.h"
#include "retia/engine/experiment/trial_file.h"
#include "retia/engine/io/process.h"

namespace retia {
namespace {

/// Evaluates the trials of a job merged; returns none where they cannot be merged.
std::optional<std::vector<Evaluation>> evaluate_merged(Evaluator& evaluator, const Job& job,
                                                       const std::vector<Trial>& trials) {
  if (trials.size() < 2) {
    return std::nullopt;
  }
  try {
    std::vector<Evaluation> evaluations = evaluator.evaluate_merged(job.models, trials);
    return evaluations.size() == trials.size() ? std::optional(std::move(evaluations))
                                               : std::nullopt;
  } catch (const std::exception&) {
    // Whoever it was fails by itself.
    return std::nullopt;
  }
}

}  // namespace

std::vector<TrialResult> run_job(Evaluator& evaluator, const Job& job,
                                 const std::filesystem::path& weights,
                                 const std::function<bool()>& stop_requested) {
  std::vector<Trial> trials;
  std::vector<TrialResult> results;
  for (const Proposal& proposal : job.proposals) {
    trials.push_back({proposal, stop_requested, weights, job.floors});
    results.push_back({.proposal = proposal, .host = host_name()});
  }
  const double begin = now();
  if (auto merged = evaluate_merged(evaluator, job, trials)) {
    const double share = (now() - begin) / static_cast<double>(trials.size());
    for (size_t i = 0; i < trials.size(); ++i) {
      results[i].evaluation = std::move((*merged)[i]);
      results[i].seconds = share;
    }
    return results;
  }
  for (size_t i = 0; i < trials.size(); ++i) {
    const double start = now();
    results[i].evaluation = try_evaluate(evaluator, job.models[i], trials[i]);
    results[i].seconds = now() - start;
  }
  return results;
}

}  // namespace retia
