#include <unistd.h>

#include <array>
#include <chrono>

#include "engine/experiment/trial_file.h"

namespace retia {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

Evaluation failure(std::string error) {
  return {.status = TrialStatus::Failed, .error = std::move(error)};
}

/// What `evaluate` gives or, where it throws, a failure.
template <class Evaluate>
Evaluation evaluation_of(const Evaluate& evaluate) {
  try {
    return evaluate();
  } catch (const c10::Error& error) {
    return failure(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failure(error.what());
  }
}

/// Empty: they cannot be evaluated at once.
std::vector<Evaluation> merged(Evaluator& evaluator, const Job& job,
                               const std::vector<Trial>& trials) {
  try {
    std::vector<Evaluation> evaluations = evaluator.evaluate_merged(job.models, trials);
    return evaluations.size() == trials.size() ? evaluations : std::vector<Evaluation>();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

std::vector<TrialResult> run_job(Evaluator& evaluator, const Job& job,
                                 const std::filesystem::path& weights,
                                 const std::function<bool()>& stop_requested) {
  std::vector<Trial> trials;
  for (const Proposal& proposal : job.proposals) {
    trials.push_back({proposal, stop_requested, weights, job.floors});
  }
  const std::string host = host_name();
  std::vector<TrialResult> results;
  if (trials.size() > 1) {
    const double started = now();
    for (Evaluation& evaluation : merged(evaluator, job, trials)) {
      results.push_back({.proposal = job.proposals[results.size()],
                         .evaluation = std::move(evaluation),
                         .seconds = (now() - started) / static_cast<double>(trials.size()),
                         .host = host});
    }
  }
  for (size_t i = results.size(); i < trials.size(); ++i) {
    const double started = now();
    Evaluation evaluation =
        evaluation_of([&] { return evaluator.evaluate(job.models.at(i), trials[i]); });
    results.push_back({.proposal = job.proposals[i],
                       .evaluation = std::move(evaluation),
                       .seconds = now() - started,
                       .host = host});
  }
  return results;
}

}  // namespace retia
