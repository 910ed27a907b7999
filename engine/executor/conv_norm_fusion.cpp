#include "retia/engine/executor/conv_norm_fusion.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/executor/routine.h"
#include "retia/engine/operations/pool.h"
#include "retia/kernels/autocast.h"

namespace retia {

using kernels::ConvKind;

/// The largest number of inputs per output (channels of a group times kernel area) for which a
/// dense convolution gains from fusion; beyond it ATen's convolution is faster.
constexpr int64_t kMostDenseInputs = 128;

/// Looks for runs of steps that end in a batch normalisation, or in a relu behind one.
class ConvNormFinder {
 public:
  ConvNormFinder(std::vector<Step>& steps, const std::vector<size_t>& outputs)
      : steps_(steps), readers_(readers_of(steps, outputs)), is_taken_(steps.size()) {}

  void run() {
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (type(i) == "batch_norm" && steps_[i].shape.size() == 3) {
        find(i);
      }
    }
  }

 private:
  std::string type(size_t step) const { return is_taken_[step] ? "" : decided_type(steps_[step]); }
  size_t input_of(size_t step) const { return steps_[step].inputs.front(); }

  /// The step before, where nothing else reads it and it is of that type.
  std::optional<size_t> before(size_t step, const std::string& of_type) const {
    const size_t input = input_of(step);
    const bool fits = readers_[input].size() == 1 && type(input) == of_type;
    return fits ? std::optional(input) : std::nullopt;
  }

  void find(size_t norm) {
    found_ = std::make_shared<ConvNormFusion>();
    found_->inside_ = {norm};
    found_->input_ = input_of(norm);
    if (const auto conv = before(norm, "conv2d")) {
      take_convolution(*conv);
    } else if (const auto joined = before(norm, "concat")) {
      take_halving(*joined);
    } else {
      for (const char* const pool : {"max_pool2d", "avg_pool2d"}) {
        if (const auto step = before(norm, pool); step && is_pool_of_three(steps_[*step])) {
          const auto kind = pool[0] == 'm' ? ConvKind::MaxPool3 : ConvKind::AveragePool3;
          take(kind, {*step}, options_of<PoolOptions>(steps_[*step]).stride.value());
        }
      }
    }
    if (steps_[found_->input_].channels || steps_[found_->input_].shape.size() != 3) {
      return;
    }
    finish(norm);
  }

  /// Puts `first` before what was found, and reads what they read.
  void take(ConvKind kind, const std::vector<size_t>& first, int64_t stride, int64_t dilation = 1) {
    found_->options_.kind = static_cast<int64_t>(kind);
    found_->options_.stride = stride;
    found_->options_.dilation = dilation;
    found_->inside_.insert(found_->inside_.begin(), first.begin(), first.end());
    found_->input_ = input_of(first.front());
    const size_t x = found_->input_;
    const auto is_first = [&](size_t reader) {
      return std::find(first.begin(), first.end(), reader) != first.end();
    };
    if (type(x) == "relu" && std::all_of(readers_[x].begin(), readers_[x].end(), is_first)) {
      found_->options_.relu_before = true;
      found_->inside_.insert(found_->inside_.begin(), x);
      found_->input_ = input_of(x);
    }
  }

  bool is_pointwise(size_t step, int64_t stride) const {
    const auto found = convolution(steps_[step]);
    return found && found->kernel == 1 && found->stride == stride && is_dense(step);
  }

  bool is_dense(size_t step) const {
    return weight(step).size(1) == steps_[input_of(step)].shape[0];
  }

  std::optional<Convolution> depthwise(size_t step) const {
    const auto found = convolution(steps_[step]);
    const int64_t channels = steps_[input_of(step)].shape[0];
    const bool fits = found && found->kernel >= 3 && found->kernel <= 7 &&
                      weight(step).size(1) == 1 && weight(step).size(0) == channels;
    return fits ? found : std::nullopt;
  }

  at::Tensor weight(size_t step) const { return parameter_of(steps_[step], "weight"); }

  void take_convolution(size_t step) {
    if (steps_[input_of(step)].channels) {
      return;
    }
    const auto found = convolution(steps_[step]);
    const auto first = before(step, "conv2d");
    const auto separable =
        first && !steps_[input_of(*first)].channels ? depthwise(*first) : std::nullopt;
    if (separable && is_pointwise(step, 1)) {
      found_->weights_ = {weight(*first), weight(step)};
      take(ConvKind::Separable, {*first, step}, separable->stride, separable->dilation);
    } else if (depthwise(step)) {
      found_->weights_ = {weight(step)};
      take(ConvKind::Depthwise, {step}, found->stride, found->dilation);
    } else if (found && is_dense(step) && found->kernel <= 7 &&
               weight(step)[0].numel() <= kMostDenseInputs) {
      found_->weights_ = {weight(step)};
      take(ConvKind::Dense, {step}, found->stride, found->dilation);
    }
  }

  /// Takes a factorized reduction: concat(conv2d(x), conv2d(shift(x))), both pointwise, of stride
  /// 2.
  void take_halving(size_t joined) {
    const std::vector<size_t>& halves = steps_[joined].inputs;
    if (halves.size() != 2 || halves[0] == halves[1]) {
      return;
    }
    for (const size_t half : halves) {
      if (type(half) != "conv2d" || readers_[half].size() != 1) {
        return;
      }
    }
    const auto shift = before(halves[1], "shift");
    if (shift && input_of(*shift) == input_of(halves[0]) && !steps_[input_of(*shift)].channels &&
        is_pointwise(halves[0], 2) && is_pointwise(halves[1], 2)) {
      found_->weights_ = {weight(halves[0]), weight(halves[1])};
      take(ConvKind::Halving, {halves[0], *shift, halves[1], joined}, 2);
    }
  }

  void finish(size_t norm) {
    found_->norm_ = norm_of(steps_[norm]);
    found_->options_.epsilon = found_->norm_.epsilon;
    if (const at::Tensor scale = parameter_of(steps_[norm], "weight"); scale.defined()) {
      found_->affine_ = {scale, parameter_of(steps_[norm], "bias")};
    }
    size_t last = norm;
    if (readers_[norm].size() == 1 && readers_[norm].front() < steps_.size() &&
        type(readers_[norm].front()) == "relu") {
      last = readers_[norm].front();
      found_->options_.relu_after = true;
      found_->inside_.push_back(last);
    }
    for (const size_t step : found_->inside_) {
      is_taken_[step] = true;
    }
    steps_[last].run = std::move(found_);
  }

  std::vector<Step>& steps_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<bool> is_taken_;
  std::shared_ptr<ConvNormFusion> found_;
};

void ConvNormFusion::fuse(std::vector<Step>& steps, const std::vector<size_t>& outputs) {
  ConvNormFinder(steps, outputs).run();
}

bool ConvNormFusion::takes(const at::Tensor& x) const {
  const at::ScalarType dtype = kernels::dtype_read(x);
  const bool is_half = dtype == at::kHalf || dtype == at::kBFloat16;
  return (x.is_cuda() || (x.is_cpu() && !is_half)) && x.dim() == 4 && x.numel() > 0 &&
         (is_half || dtype == at::kFloat || dtype == at::kDouble) &&
         norm_.running_mean.scalar_type() == (is_half ? at::kFloat : dtype);
}

at::Tensor ConvNormFusion::run(const at::Tensor& x) const {
  kernels::ConvNormOptions options = options_;
  options.training = norm_.layer->is_training();
  options.momentum = norm_.layer->momentum();
  options.ranks = norm_.layer->synchronised();
  std::vector<at::Tensor> running;
  if (!options.training || !norm_.layer->keeps_statistics()) {
    running = {norm_.running_mean, norm_.running_var};
  }
  if (options.training && !norm_.layer->keeps_statistics()) {
    norm_.layer->mark_moved();
  }
  return kernels::conv_norm(x, weights_, affine_, running, options);
}

}  // namespace retia
