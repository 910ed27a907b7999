#include "retia/trainers/evaluators/divergence.h"

#include <cmath>

namespace retia {
namespace {

constexpr double kAbsurdTraining = 10;     // times the loss of guessing
constexpr double kAbsurdValidation = 100;  // statistics of batches may not have settled yet

std::string absurd(const char* what, double found, const char* guessed, double guessing) {
  return c10::str(what, " is ", found, ", but guessing gives ", guessed, guessing);
}

}  // namespace

std::string divergence_of(const EpochReport& last, int64_t n_classes) {
  const double guessing = std::log(static_cast<double>(std::max<int64_t>(n_classes, 2)));
  const Score& score = last.validation.value();
  if (last.loss > kAbsurdTraining * guessing) {
    return absurd("the training loss of the last epoch", last.loss, "", guessing);
  }
  if (score.loss > kAbsurdValidation * guessing) {
    return absurd("the validation loss", score.loss, "", guessing);
  }
  return score.varies || n_classes == 1 ? ""
                                        : c10::str("the outputs are the same for all ",
                                                   score.n_samples, " validation samples");
}

std::string divergence_of(const at::Tensor& predictions, const at::Tensor& targets,
                          double variance) {
  const double error = (predictions - targets).square().mean().item<double>();
  if (error > kAbsurdValidation * variance) {
    return absurd("the mean squared error", error, "about ", variance);
  }
  OutputRange range, wanted;
  range.add(predictions.unsqueeze(1));
  wanted.add(targets.unsqueeze(1));
  const bool is_constant = wanted.varies().item<bool>() && !range.varies().item<bool>();
  return is_constant ? c10::str("the prediction is the same for all ", targets.numel(),
                                " validation samples")
                     : "";
}

Evaluation unless_it_diverges(const std::function<Evaluation()>& evaluate) {
  try {
    return evaluate();
  } catch (const Divergence& error) {
    return {.status = TrialStatus::Diverged, .error = error.what_without_backtrace()};
  }
}

Evaluation marked(Evaluation evaluation, const std::string& reason) {
  if (!reason.empty()) {
    evaluation.status = TrialStatus::Diverged;
    evaluation.error = reason;
  }
  return evaluation;
}

}  // namespace retia
