#include "retia/engine/executor/passes/recognised_branch.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "retia/engine/operations/pool.h"

namespace retia::executor {
namespace {

using kernels::BranchStage;
using kernels::StageKind;

/// Reads the program of a candidate from its input on, stage after stage.
class StageReader {
 public:
  explicit StageReader(const Program& program)
      : program_(program), value_(program.inputs.front()), channels_(info().shape.front()) {}

  bool is_at_end() const { return next_ == program_.instructions.size(); }
  /// Returns whether what was read last is all that the program returns.
  bool returns() const { return program_.outputs == std::vector<Value>{value_}; }

  /// Reads an instruction of that type whose inputs are `inputs`; null, and reads nothing: another
  /// one comes.
  const LayerInstruction* read(const std::string& type, const std::vector<Value>& inputs) {
    if (is_at_end() || program_.instructions[next_]->inputs() != inputs ||
        decided_type(program_, *program_.instructions[next_]) != type) {
      return nullptr;
    }
    const LayerInstruction* const layer = as_layer(*program_.instructions[next_++]);
    value_ = layer->outputs().front();
    return layer;
  }
  const LayerInstruction* read(const std::string& type) { return read(type, {value_}); }

  /// Reads a stage with its normalisation; none: something else comes.
  std::optional<BranchStage> stage() {
    stride_ = 1;
    const std::optional<BranchStage> found = normalised();
    const LayerInstruction* const norm = found ? read("batch_norm") : nullptr;
    if (norm == nullptr) {
      return std::nullopt;
    }
    is_affine_ = is_affine_ || options_of<BatchNormOptions>(*norm).affine.value();
    norms_.push_back(norm_of(*norm));
    return found;
  }

  int64_t stride() const { return stride_; }  ///< of the stage read last
  bool is_affine() const { return is_affine_; }
  std::vector<at::Tensor>& weights() { return weights_; }
  std::vector<Norm>& norms() { return norms_; }

 private:
  const ValueInfo& info() const { return program_.values[value_]; }

  std::optional<BranchStage> normalised() {
    for (const StageKind kind : {StageKind::MaxPool, StageKind::AveragePool}) {
      if (const LayerInstruction* const pool =
              read(kind == StageKind::MaxPool ? "max_pool2d" : "avg_pool2d")) {
        stride_ = options_of<PoolOptions>(*pool).stride.value();
        return is_pool_of_three(*pool) ? std::optional(BranchStage{kind, 3, 1}) : std::nullopt;
      }
    }
    if (read("relu") == nullptr) {
      return std::nullopt;
    }
    const Value x = value_;
    const LayerInstruction* const first = read("conv2d");
    if (first == nullptr) {
      return std::nullopt;
    }
    weights_.push_back(parameter_of(*first, "weight"));
    return read("shift", {x}) != nullptr ? halving(*first) : separable(*first);
  }

  /// A depthwise and a pointwise convolution that keep the number of channels.
  std::optional<BranchStage> separable(const LayerInstruction& first) {
    const auto depthwise = convolution(first);
    const LayerInstruction* const second = read("conv2d");
    if (second == nullptr || !depthwise) {
      return std::nullopt;
    }
    const int64_t k = depthwise->kernel;
    stride_ = depthwise->stride;
    weights_.push_back(parameter_of(*second, "weight"));
    const bool fits = weights_.end()[-2].sizes() == at::IntArrayRef({channels_, 1, k, k}) &&
                      is_pointwise(*second, channels_, 1);
    return fits ? std::optional(BranchStage{StageKind::Convolution, k, depthwise->dilation})
                : std::nullopt;
  }

  /// Two pointwise convolutions of stride 2, the second of the shifted input; each makes half of
  /// the channels.
  std::optional<BranchStage> halving(const LayerInstruction& first) {
    const LayerInstruction* const second = read("conv2d");
    if (second == nullptr ||
        read("concat", {first.outputs().front(), second->outputs().front()}) == nullptr) {
      return std::nullopt;
    }
    stride_ = 2;
    weights_.push_back(parameter_of(*second, "weight"));
    const int64_t half = channels_ / 2;
    const bool fits =
        half > 0 && is_pointwise(first, half, 2) && is_pointwise(*second, channels_ - half, 2);
    return fits ? std::optional(BranchStage{StageKind::Halving, 1, 1}) : std::nullopt;
  }

  bool is_pointwise(const LayerInstruction& conv, int64_t out, int64_t stride) const {
    const auto found = convolution(conv);
    return found && found->stride == stride &&
           parameter_of(conv, "weight").sizes() == at::IntArrayRef({out, channels_, 1, 1});
  }

  const Program& program_;
  size_t next_ = 0;
  Value value_;
  int64_t channels_;
  int64_t stride_ = 1;
  bool is_affine_ = false;
  std::vector<at::Tensor> weights_;
  std::vector<Norm> norms_;
};

/// Returns the row of the table whose branch consists of `stages`; null: there is none.
const kernels::BranchRow* row_of(const std::vector<BranchStage>& stages) {
  for (const kernels::BranchRow& row : kernels::kMixedBranches) {
    if (std::equal(row.begin(), row.end(), stages.begin(), stages.end(),
                   [](const BranchStage& a, const BranchStage& b) {
                     return a.kind == b.kind && a.kernel == b.kernel && a.dilation == b.dilation;
                   })) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace

RecognisedBranch recognise_branch(const Program& candidate) {
  RecognisedBranch found{.reason = "mixed_op has no such branch"};
  if (candidate.instructions.empty() || candidate.inputs.size() != 1 ||
      candidate.values[candidate.inputs.front()].shape.size() != 3) {
    return found;
  }
  StageReader reader(candidate);
  std::vector<BranchStage> stages;
  reader.read("identity");
  while (!reader.is_at_end()) {
    const auto stage = reader.stage();
    if (!stage || (!stages.empty() && reader.stride() != 1)) {
      return found;
    }
    found.stride = stages.empty() ? reader.stride() : found.stride;
    stages.push_back(*stage);
  }
  const kernels::BranchRow* const row = reader.returns() ? row_of(stages) : nullptr;
  if (row == nullptr || found.stride < 1 || found.stride > 2 ||
      (row->stride != kernels::kAnyStride && row->stride != found.stride)) {
    return found;
  }
  found.branch = row->branch;
  found.weights = std::move(reader.weights());
  found.norms = std::move(reader.norms());
  found.reason = reader.is_affine() ? "its normalisation is scaled and shifted" : "";
  return found;
}

}  // namespace retia::executor
