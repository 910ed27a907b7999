#include "retia/engine/executor/mixed_op_fusion.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <optional>
#include <string>

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/executor/routine.h"
#include "retia/engine/operations/pool.h"
#include "retia/kernels/autocast.h"
#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia {
namespace {

using kernels::MixedBranch;

at::Tensor weight_of(const Step& step) { return parameter_of(step, "weight"); }

bool is_depthwise(const Step& step, int64_t kernel) {
  const int64_t c = step.shape[0];
  return weight_of(step).sizes() == at::IntArrayRef({c, 1, kernel, kernel});
}

bool is_pointwise(const Step& step, int64_t channels, int64_t stride) {
  const auto found = convolution(step);
  return found && found->stride == stride &&
         weight_of(step).sizes() == at::IntArrayRef({step.shape[0], channels, 1, 1});
}

/// Returns whether step `at` is an operation `type`, decided, that reads the steps `from`.
bool is_step(const std::vector<Step>& steps, size_t at, const char* type,
             const std::vector<size_t>& from) {
  return at < steps.size() && decided_type(steps[at]) == type && steps[at].inputs == from;
}

/// The steps of a stage that were found in a graph: the first step behind them, and their stride.
struct Found {
  size_t end;
  int64_t stride;
};

std::optional<Found> find_convolution(const std::vector<Step>& steps, size_t at,
                                      const kernels::BranchStage& stage) {
  if (!is_step(steps, at, "relu", {at - 1}) || !is_step(steps, at + 1, "conv2d", {at}) ||
      !is_step(steps, at + 2, "conv2d", {at + 1})) {
    return std::nullopt;
  }
  const auto depthwise = convolution(steps[at + 1]);
  const int64_t channels = steps.front().shape[0];
  const bool fits = depthwise && depthwise->kernel == stage.kernel &&
                    depthwise->dilation == stage.dilation &&
                    is_depthwise(steps[at + 1], stage.kernel) &&
                    steps[at + 2].shape[0] == channels && is_pointwise(steps[at + 2], channels, 1);
  return fits ? std::optional(Found{at + 3, depthwise->stride}) : std::nullopt;
}

std::optional<Found> find_halving(const std::vector<Step>& steps, size_t at) {
  if (!is_step(steps, at, "relu", {at - 1}) || !is_step(steps, at + 1, "conv2d", {at}) ||
      !is_step(steps, at + 2, "shift", {at}) || !is_step(steps, at + 3, "conv2d", {at + 2}) ||
      !is_step(steps, at + 4, "concat", {at + 1, at + 3})) {
    return std::nullopt;
  }
  const int64_t channels = steps.front().shape[0];
  const bool fits =
      is_pointwise(steps[at + 1], channels, 2) && is_pointwise(steps[at + 3], channels, 2) &&
      steps[at + 1].shape[0] == channels / 2 && steps[at + 4].shape[0] == channels && channels > 1;
  return fits ? std::optional(Found{at + 5, 2}) : std::nullopt;
}

std::optional<Found> find_pool(const std::vector<Step>& steps, size_t at, const char* type) {
  if (!is_step(steps, at, type, {at - 1}) || !is_pool_of_three(steps[at])) {
    return std::nullopt;
  }
  return Found{at + 1, options_of<PoolOptions>(steps[at]).stride.value()};
}

/// Returns the steps from `at` on, up to a normalisation, if they compute `stage` of the step before.
std::optional<Found> find_stage(const std::vector<Step>& steps, size_t at,
                                const kernels::BranchStage& stage) {
  std::optional<Found> found;
  switch (stage.kind) {
    case kernels::StageKind::Convolution:
      found = find_convolution(steps, at, stage);
      break;
    case kernels::StageKind::Halving:
      found = find_halving(steps, at);
      break;
    case kernels::StageKind::MaxPool:
      found = find_pool(steps, at, "max_pool2d");
      break;
    case kernels::StageKind::AveragePool:
      found = find_pool(steps, at, "avg_pool2d");
      break;
  }
  if (!found || !is_step(steps, found->end, "batch_norm", {found->end - 1})) {
    return std::nullopt;
  }
  ++found->end;
  return found;
}

/// Returns the stride of a routine of one input that computes the stages of `row` and nothing else;
/// none where it does not.
std::optional<int64_t> stride_as(const Routine& routine, const kernels::BranchRow& row) {
  const std::vector<Step>& steps = routine.steps();
  if (row.n_stages == 0 || routine.outputs() != std::vector<size_t>{steps.size() - 1} ||
      !std::holds_alternative<ir::Input>(steps.front().node.body)) {
    return std::nullopt;
  }
  size_t at = 1;
  std::optional<int64_t> stride;
  for (const kernels::BranchStage& stage : row) {
    const auto found = find_stage(steps, at, stage);
    if (!found || (stride && found->stride != 1)) {
      return std::nullopt;
    }
    stride = stride ? stride : found->stride;
    at = found->end;
  }
  return at == steps.size() ? stride : std::nullopt;
}

bool alike(const Norm& a, const Norm& b) {
  return a.epsilon == b.epsilon && a.layer->momentum() == b.layer->momentum() &&
         a.layer->is_training() == b.layer->is_training() &&
         a.layer->keeps_statistics() == b.layer->keeps_statistics() &&
         a.layer->synchronised() == b.layer->synchronised() &&
         a.running_mean.scalar_type() == b.running_mean.scalar_type();
}

/// Returns whether a step sums all its inputs, or all chosen ones.
bool adds_all(const Step& step) {
  const auto* const choice = std::get_if<ir::InputChoice>(&step.node.body);
  return choice != nullptr ? choice->reduction == Reduction::Sum : decided_type(step) == "add";
}

}  // namespace

MixedOpFusion::Candidate MixedOpFusion::recognise(const Branch& branch,
                                                  const std::string& primitive) {
  Candidate candidate;
  const auto know = [&](MixedBranch kind, int64_t stride) {
    candidate.known = stride == 1 || stride == 2;
    candidate.branch = static_cast<int64_t>(kind);
    candidate.stride = stride;
  };
  if (branch.layer) {
    if (primitive == "identity") {
      know(MixedBranch::Identity, 1);
    }
    return candidate;
  }
  for (const kernels::BranchRow& row : kernels::kMixedBranches) {
    if (const auto stride = stride_as(*branch.routine, row)) {
      know(row.branch, *stride);
    }
  }
  const std::vector<Step>& steps = branch.routine->steps();
  for (size_t i = 1; candidate.known && i < steps.size(); ++i) {
    const std::string type = decided_type(steps[i]);
    if (type == "batch_norm") {
      candidate.norms.push_back(norm_of(steps[i]));
      candidate.known = !options_of<BatchNormOptions>(steps[i]).affine.value();
      candidate.reason = "its normalisation is scaled and shifted";
    } else if (type == "conv2d") {
      candidate.weights.push_back(weight_of(steps[i]));
    }
  }
  return candidate;
}

std::shared_ptr<MixedOpFusion> MixedOpFusion::of(const Step& step) {
  const auto* choice = std::get_if<ir::LayerChoice>(&step.node.body);
  if (choice == nullptr || step.inputs.size() != 1 || step.shape.size() != 3 || step.channels) {
    return nullptr;
  }
  auto fusion = std::make_shared<MixedOpFusion>();
  int64_t n_known = 0;
  for (size_t i = 0; i < step.branches.size(); ++i) {
    const auto* primitive = std::get_if<ir::Operation>(&choice->candidates[i].body);
    Candidate found = recognise(step.branches[i], primitive != nullptr ? primitive->type() : "");
    if (found.known && n_known == 0) {
      fusion->stride_ = found.stride;
    }
    if (found.known && found.stride != fusion->stride_) {
      found.known = false;
      found.reason = "another stride than the first";
    }
    if (found.known) {
      found.reason.clear();
    } else if (step.layer_choice->always_zero(static_cast<int64_t>(i))) {
      found.reason = "zero: left out";
    }
    n_known += found.known ? 1 : 0;
    fusion->candidates_.push_back(std::move(found));
  }
  return n_known > 1 ? fusion : nullptr;
}

void MixedOpFusion::fuse(std::vector<Step>& steps, const std::vector<size_t>& outputs) {
  const auto readers = readers_of(steps, outputs);
  for (Step& step : steps) {
    step.fusion = of(step);
    step.edges.clear();
    step.sum.reset();
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].fusion) {
      continue;
    }
    for (const size_t other : readers[steps[i].inputs.front()]) {
      if (other >= i && other < steps.size() && steps[other].fusion &&
          steps[other].fusion->stride() == steps[i].fusion->stride()) {
        steps[i].edges.push_back(other);
      }
    }
    if (readers[i].size() == 1 && readers[i].front() < steps.size() &&
        adds_all(steps[readers[i].front()])) {
      steps[i].sum = readers[i].front();
    }
  }
}

const Norm* MixedOpFusion::common_norm(const Verdict& verdict) const {
  const Norm* first = nullptr;
  for (const int64_t index : verdict.chosen) {
    for (const Norm& norm : candidates_[static_cast<size_t>(index)].norms) {
      if (!candidates_[static_cast<size_t>(index)].known) {
        break;
      }
      first = first != nullptr ? first : &norm;
      if (!alike(norm, *first)) {
        return nullptr;
      }
    }
  }
  return first;
}

bool MixedOpFusion::takes(const Verdict& verdict, const at::Tensor& x) const {
  const at::ScalarType dtype = kernels::dtype_read(x);
  const bool is_half = dtype == at::kHalf || dtype == at::kBFloat16;
  const at::ScalarType beside = is_half ? at::kFloat : dtype;
  if (!verdict.weights.defined() || !(x.is_cuda() || (x.is_cpu() && !is_half)) || x.dim() != 4 ||
      x.numel() == 0 || (beside != at::kFloat && beside != at::kDouble) ||
      verdict.weights.scalar_type() != beside) {
    return false;
  }
  const auto n_known =
      std::count_if(verdict.chosen.begin(), verdict.chosen.end(),
                    [&](int64_t index) { return candidates_[static_cast<size_t>(index)].known; });
  const Norm* const norm = common_norm(verdict);
  return n_known > 1 && norm != nullptr && norm->running_mean.scalar_type() == beside;
}

bool MixedOpFusion::run_together(const Edge& a, const Edge& b) {
  return alike(*a.fusion.common_norm(a.verdict), *b.fusion.common_norm(b.verdict));
}

std::vector<at::Tensor> MixedOpFusion::run(const std::vector<Edge>& edges, const at::Tensor& x) {
  const Norm& like = *edges.front().fusion.common_norm(edges.front().verdict);
  kernels::MixedOpOptions options = {.branches = {},
                                     .edges = {},
                                     .summed = {},
                                     .stride = edges.front().fusion.stride_,
                                     .training = like.layer->is_training(),
                                     .momentum = like.layer->momentum(),
                                     .epsilon = like.epsilon,
                                     .ranks = like.layer->synchronised()};
  const bool moves = options.training && !like.layer->keeps_statistics();
  std::vector<at::Tensor> blends, weights, running, sums;
  for (const auto& [fusion, choice, verdict, sum] : edges) {
    std::vector<int64_t> places;
    at::Tensor others = sum;
    for (size_t k = 0; k < verdict.chosen.size(); ++k) {
      const int64_t index = verdict.chosen[k];
      const Candidate& candidate = fusion.candidates_[static_cast<size_t>(index)];
      const auto place = static_cast<int64_t>(k);
      if (candidate.known) {
        options.branches.push_back(candidate.branch);
        places.push_back(place);
        weights.insert(weights.end(), candidate.weights.begin(), candidate.weights.end());
        for (const Norm& norm : candidate.norms) {
          if (moves || !options.training) {
            running.push_back(norm.running_mean);
            running.push_back(norm.running_var);
          }
          if (moves) {
            norm.layer->mark_moved();
          }
        }
      } else if (!choice.always_zero(index)) {
        const at::Tensor term = choice.run_candidate(index, {x}) * verdict.weights[place];
        others = others.defined() ? others + term : term;
      }
    }
    if (others.defined()) {
      options.summed.push_back(static_cast<int64_t>(options.edges.size()));
      sums.push_back(others.to(x.scalar_type()));
    }
    options.edges.push_back(static_cast<int64_t>(places.size()));
    blends.push_back(verdict.weights.index_select(0, at::tensor(places)));
  }
  return kernels::mixed_ops(x, at::cat(blends), weights, running, sums, options);
}

}  // namespace retia
