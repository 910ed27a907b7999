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

/// Returns the computation of a routine of one input as text, e.g. "relu(0) conv2d(1)": operation
/// types and the steps they read. Empty where a size or a layer is a choice, or where the last step
/// is not the output.
std::string formula(const Routine& routine) {
  const std::vector<Step>& steps = routine.steps();
  if (routine.outputs() != std::vector<size_t>{steps.size() - 1} ||
      !std::holds_alternative<ir::Input>(steps.front().node.body)) {
    return {};
  }
  std::string text;
  for (size_t i = 1; i < steps.size(); ++i) {
    const std::string type = decided_type(steps[i]);
    if (type.empty()) {
      return {};
    }
    text = c10::str(text, text.empty() ? "" : " ", type);
    for (const size_t input : steps[i].inputs) {
      text = c10::str(text, "(", input, ")");
    }
  }
  return text;
}

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

/// A depthwise and a pointwise convolution, from step `at` on.
std::optional<Convolution> separable(const std::vector<Step>& steps, size_t at) {
  const auto found = convolution(steps[at]);
  const int64_t channels = steps.front().shape[0];
  const bool fits = found && is_depthwise(steps[at], found->kernel) &&
                    steps[at + 1].shape[0] == channels && is_pointwise(steps[at + 1], channels, 1);
  return fits && (found->kernel == 3 || found->kernel == 5) ? found : std::nullopt;
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
  const std::vector<Step>& steps = branch.routine->steps();
  const std::string text = formula(*branch.routine);
  if (text == "max_pool2d(0) batch_norm(1)" || text == "avg_pool2d(0) batch_norm(1)") {
    if (is_pool_of_three(steps[1])) {
      know(text[0] == 'm' ? MixedBranch::MaxPool3 : MixedBranch::AveragePool3,
           options_of<PoolOptions>(steps[1]).stride.value());
    }
  } else if (text == "relu(0) conv2d(1) conv2d(2) batch_norm(3)") {
    const auto conv = separable(steps, 2);
    if (conv && conv->dilation == 2) {
      know(conv->kernel == 3 ? MixedBranch::DilConv3 : MixedBranch::DilConv5, conv->stride);
    }
  } else if (text ==
             "relu(0) conv2d(1) conv2d(2) batch_norm(3) relu(4) conv2d(5) conv2d(6) "
             "batch_norm(7)") {
    const auto conv = separable(steps, 2);
    const auto again = separable(steps, 6);
    if (conv && again && conv->kernel == again->kernel && conv->dilation == 1 &&
        again->dilation == 1 && again->stride == 1) {
      know(conv->kernel == 3 ? MixedBranch::SepConv3 : MixedBranch::SepConv5, conv->stride);
    }
  } else if (text == "relu(0) conv2d(1) shift(1) conv2d(3) concat(2)(4) batch_norm(5)") {
    const int64_t channels = steps.front().shape[0];
    if (is_pointwise(steps[2], channels, 2) && is_pointwise(steps[4], channels, 2) &&
        steps[2].shape[0] == channels / 2 && steps[5].shape[0] == channels && channels > 1) {
      know(MixedBranch::FactorizedReduce, 2);
    }
  }
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
        const at::Tensor term = choice.run(index, {x}) * verdict.weights[place];
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
