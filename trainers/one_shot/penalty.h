#pragma once

#include <optional>
#include <string>

#include "retia/engine/cost/cost_measure.h"
#include "retia/engine/io/option.h"
#include "retia/mutators/alpha_mutator.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// The way in which a penalty enters the value: added, or as a factor; see PenaltyOptions.
enum class PenaltyForm { Add, Mul };
NLOHMANN_JSON_SERIALIZE_ENUM(PenaltyForm, {{PenaltyForm::Add, "add"}, {PenaltyForm::Mul, "mul"}})

/// The function x of the cost; see PenaltyOptions.
enum class PenaltyShape { Linear, Positive, Negative, Absolute, Log };
NLOHMANN_JSON_SERIALIZE_ENUM(PenaltyShape, {{PenaltyShape::Linear, "linear"},
                                            {PenaltyShape::Positive, "positive"},
                                            {PenaltyShape::Negative, "negative"},
                                            {PenaltyShape::Absolute, "absolute"},
                                            {PenaltyShape::Log, "log"}})

/// The penalty by which models with lower cost are preferred. A value v, a loss (scale > 0) or a
/// reward (scale < 0), becomes
///   v + scale x (add) or v (1 + x)^scale (mul), where with r = cost / baseline - 1
///   x = r (linear), max(0, r) (positive), min(0, r) (negative), |r| (absolute), or
///       log cost / log baseline - 1 (log).
/// ProxylessNAS (Cai et al., ICLR 2019): add and linear, or mul and log with scale 0.6. FBNet (Wu
/// et al., CVPR 2019): mul and log, up to a constant factor. MnasNet (Tan et al., CVPR 2019): mul
/// and linear, with scale -0.07 of the reward.
struct PenaltyOptions {
  CostMeasure cost = CostMeasure::None;
  std::string table = "";  ///< file of latencies, for cost = latency
  double baseline = 0;     ///< > 0; 0: the mean cost of the space with uniform decisions
  double scale = 0;        ///< > 0 for losses, < 0 for rewards
  PenaltyForm form = PenaltyForm::Add;
  PenaltyShape shape = PenaltyShape::Linear;
};
inline std::vector<Option> declared(PenaltyOptions& o) {
  return {
      option("cost", o.cost, "cost of a model for one sample"),
      option("table", o.table, "file of latencies, for cost latency"),
      option("baseline", o.baseline, Range{0},
             "cost that is neither good nor bad; 0: the mean over the space"),
      option("scale", o.scale, Range{}, "above 0 on a loss, below 0 on a reward"),
      option("form", o.form, "form of the penalised value"),
      option("shape", o.shape, "function of the cost"),
  };
}

/// Returns the penalised value; arguments are scalars, and it is differentiable in both. Throws
/// where a power or logarithm of the cost is undefined.
at::Tensor penalised(const at::Tensor& value, const at::Tensor& cost,
                     const PenaltyOptions& options);

/// Penalises a loss by the expected cost of the space under the alphas (see ir::ExpectedCost), so
/// that the gradient of the cost reaches every alpha.
class LossPenalty {
 public:
  /// `mutator`: an AlphaMutator, unless there is no penalty; must outlive this object. Throws where
  /// an option is out of range or the table lacks an operation.
  LossPenalty(const PenaltyOptions& options, const SearchSetup& setup, const Mutator& mutator);

  /// Returns the penalised loss, a scalar, differentiable in the alphas; `loss` itself where there
  /// is no penalty.
  at::Tensor operator()(const at::Tensor& loss) const;

 private:
  PenaltyOptions options_;
  std::optional<ir::ExpectedCost> cost_;
  const AlphaMutator* mutator_;
};

/// Penalises a reward by the cost of the architecture that earned it.
class RewardPenalty {
 public:
  /// Makes a penalty that changes nothing.
  RewardPenalty() = default;
  /// Throws where an option is out of range or the table lacks an operation.
  RewardPenalty(const PenaltyOptions& options, const SearchSetup& setup);

  /// Returns the penalised reward; `reward` itself where there is no penalty.
  double operator()(double reward, const Architecture& architecture) const;

 private:
  PenaltyOptions options_;
  std::optional<ir::ExpectedCost> cost_;
};

/// Warns, by setup.warn, where the latency table was measured under other conditions than those of
/// the search.
void check_conditions(const std::string& table, const SearchSetup& setup);

}  // namespace retia
