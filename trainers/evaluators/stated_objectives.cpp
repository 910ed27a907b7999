#include "retia/trainers/evaluators/stated_objectives.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace retia {
namespace {

constexpr std::array<std::string_view, 5> kLossParts = {"loss", "error", "latency", "perplexity",
                                                        "regret"};
constexpr std::array<std::string_view, 14> kLossWords = {"cer",  "cost",    "err",  "fid", "mae",
                                                         "mape", "ms",      "mse",  "nll", "ppl",
                                                         "rmse", "seconds", "time", "wer"};

template <size_t n>
bool holds(const std::array<std::string_view, n>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Returns the words of a name in lower case: "valErr_2" has "val" and "err".
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  bool was_lower = false;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    const bool begins = std::isupper(letter) != 0 && was_lower;
    if ((std::isalpha(letter) == 0 || begins) && !words.back().empty()) {
      words.emplace_back();
    }
    if (std::isalpha(letter) != 0) {
      words.back() += static_cast<char>(std::tolower(letter));
    }
    was_lower = std::islower(letter) != 0;
  }
  return words;
}

Direction direction_of(StatedDirection stated) {
  return stated == StatedDirection::Minimise ? Direction::Minimise : Direction::Maximise;
}

Objective only_objective(const std::string& metric, StatedDirection direction) {
  TORCH_CHECK(direction != StatedDirection::Unstated || !is_named_like_a_loss(metric),
              "evaluator.metric: '", metric,
              "' is named like a loss, error or latency: state its direction by --set "
              "evaluator.direction=minimise (or maximise), or by --set 'evaluator.objectives="
              "[{\"name\": \"",
              metric, "\", \"direction\": \"minimise\"}]'");
  return {.name = metric, .direction = direction_of(direction)};
}

}  // namespace

bool is_named_like_a_loss(const std::string& name) {
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return holds(kLossWords, word) ||
           std::any_of(kLossParts.begin(), kLossParts.end(),
                       [&](std::string_view part) { return word.find(part) != std::string::npos; });
  });
}

std::vector<Objective> stated_objectives(const std::string& metric, StatedDirection direction,
                                         const std::vector<StatedObjective>& list,
                                         const std::string& unused_metric) {
  if (list.empty()) {
    return {only_objective(metric, direction)};
  }
  TORCH_CHECK(metric == unused_metric && direction == StatedDirection::Unstated,
              "evaluator.objectives names all objectives with their directions: remove "
              "evaluator.metric and evaluator.direction");
  std::vector<Objective> objectives;
  for (const StatedObjective& stated : list) {
    TORCH_CHECK(!stated.name.empty() && stated.direction != StatedDirection::Unstated,
                "evaluator.objectives: expected {\"name\": …, \"direction\": \"maximise\" or "
                "\"minimise\"}, got ",
                nlohmann::json(stated).dump());
    TORCH_CHECK(std::none_of(objectives.begin(), objectives.end(),
                             [&](const Objective& other) { return other.name == stated.name; }),
                "evaluator.objectives: '", stated.name, "' is given twice");
    objectives.push_back({.name = stated.name, .direction = direction_of(stated.direction)});
  }
  return objectives;
}

}  // namespace retia
