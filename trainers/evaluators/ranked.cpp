#include "trainers/evaluators/ranked.h"

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

}  // namespace

RankedEvaluator::RankedEvaluator(Evaluator& inner, Ranks& ranks,
                                 std::function<bool()> stop_requested)
    : inner_(inner), ranks_(ranks), stop_requested_(std::move(stop_requested)) {}

Evaluation RankedEvaluator::evaluate(const ir::Graph& model, const Trial& trial) {
  try {
    ranks_.broadcast(Json({{"try", plain(trial.proposal.architecture)}}).dump());
    Evaluation found = join(model, trial.proposal);
    return ranks_.any(stop_requested_()) ? Evaluation{.status = TrialStatus::Stopped} : found;
  } catch (const c10::Error&) {
    return {.status = TrialStatus::Stopped};  // a rank is lost, which its next call says again
  }
}

Evaluation RankedEvaluator::join(const ir::Graph& model, const Proposal& proposal) {
  try {
    return inner_.evaluate(model, {.proposal = proposal});
  } catch (const c10::Error& error) {
    ranks_.check();
    return {.status = TrialStatus::Failed, .error = error.what_without_backtrace()};
  }
}

std::optional<Architecture> RankedEvaluator::follow() {
  while (true) {
    const Json said = Json::parse(ranks_.broadcast(std::string()));
    if (!said.contains("try")) {
      return said.contains("found") ? std::optional(from_plain(said.at("found"))) : std::nullopt;
    }
    join(ir::Graph(""), {.architecture = from_plain(said.at("try"))});
    ranks_.any(stop_requested_());
  }
}

void RankedEvaluator::conclude(const std::optional<Architecture>& found) {
  const Json said = found ? Json{{"found", plain(*found)}} : Json::object();
  ranks_.broadcast(said.dump());
}

}  // namespace retia
