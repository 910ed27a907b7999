#include "retia/trainers/one_shot/penalty.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>

#include "retia/engine/base/precision.h"
#include "retia/engine/cost/latency_table.h"

namespace retia {
namespace {

enum class On { Loss, Reward };

const ir::Graph& costed(const SearchSetup& setup) {
  return setup.costed ? *setup.costed : setup.network->graph();
}

/// The costs of the space, and in `options` the baseline they are held against; none: no penalty.
std::optional<ir::ExpectedCost> read_options(PenaltyOptions& options, const SearchSetup& setup,
                                             On on) {
  if (options.cost == CostMeasure::None) {
    return std::nullopt;
  }
  const bool is_right = on == On::Loss ? options.scale > 0 : options.scale < 0;
  TORCH_CHECK(is_right, "algorithm.penalty: this algorithm ",
              on == On::Loss ? "minimises a loss: scale must be above 0, got "
                             : "maximises a reward: scale must be below 0, got ",
              options.scale);
  check_declared(options, "algorithm.penalty");
  if (options.cost == CostMeasure::Latency && !options.table.empty()) {
    check_conditions(options.table, setup);
  }
  const ir::Graph& space = costed(setup);
  ir::ExpectedCost cost(space, operation_cost(options.cost, options.table, space.name()));
  if (options.baseline == 0) {
    options.baseline = cost.mean();
    TORCH_CHECK(options.baseline > 0, "algorithm.penalty: nothing in this space costs anything");
  }
  TORCH_CHECK(options.shape != PenaltyShape::Log || options.baseline > 1,
              "algorithm.penalty: the shape log needs a baseline above 1, got ", options.baseline);
  return cost;
}

}  // namespace

at::Tensor penalised(const at::Tensor& value, const at::Tensor& cost,
                     const PenaltyOptions& options) {
  const double least = options.shape == PenaltyShape::Log ? 1
                       : options.form == PenaltyForm::Mul ? 0
                                                          : -1;
  const auto known = cost.item<double>();
  TORCH_CHECK(known > least, "algorithm.penalty: a cost of ", known,
              options.shape == PenaltyShape::Log
                  ? " is not above 1, as the shape log needs it: use linear"
                  : " leaves nothing to multiply by: use the form add");
  const at::Tensor r = cost / options.baseline - 1;
  at::Tensor x = r;
  switch (options.shape) {
    case PenaltyShape::Linear:
      break;
    case PenaltyShape::Positive:
      x = r.clamp_min(0);
      break;
    case PenaltyShape::Negative:
      x = r.clamp_max(0);
      break;
    case PenaltyShape::Absolute:
      x = r.abs();
      break;
    case PenaltyShape::Log:
      x = cost.log() / std::log(options.baseline) - 1;
      break;
  }
  return options.form == PenaltyForm::Add ? value + options.scale * x
                                          : value * (1 + x).pow(options.scale);
}

LossPenalty::LossPenalty(const PenaltyOptions& options, const SearchSetup& setup,
                         const Mutator& mutator)
    : options_(options),
      cost_(read_options(options_, setup, On::Loss)),
      mutator_(dynamic_cast<const AlphaMutator*>(&mutator)) {
  TORCH_CHECK(!cost_ || mutator_ != nullptr,
              "algorithm.penalty needs a mutator that tells how likely its decisions are");
}

at::Tensor LossPenalty::operator()(const at::Tensor& loss) const {
  return cost_ ? penalised(loss, (*cost_)(mutator_->decision_probabilities()), options_) : loss;
}

RewardPenalty::RewardPenalty(const PenaltyOptions& options, const SearchSetup& setup)
    : options_(options), cost_(read_options(options_, setup, On::Reward)) {}

double RewardPenalty::operator()(double reward, const Architecture& architecture) const {
  if (!cost_) {
    return reward;
  }
  const at::TensorOptions number = at::TensorOptions(at::kDouble);
  return penalised(at::scalar_tensor(reward, number),
                   at::scalar_tensor(cost_->of(architecture), number), options_)
      .item<double>();
}

void check_conditions(const std::string& table, const SearchSetup& setup) {
  const LatencyConditions measured = LatencyTable::read(table).conditions();
  const std::vector<at::Tensor> weights = setup.network->parameters();
  const at::ScalarType lower = setup.network->precision();
  const LatencyConditions here =
      weights.empty() ? measured
                      : conditions_here(weights.front().device(),
                                        is_lower(lower) ? lower : weights.front().scalar_type(),
                                        measured.batch);
  if (measured != here) {
    setup.warn(c10::str("warning: ", table, " was measured on ", to_string(measured),
                        "; this search runs on ", to_string(here),
                        ", and goes by the latencies of the former"));
  }
}

}  // namespace retia
