#include "retia/engine/executor/passes/conv_norm.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/operations/pool.h"
#include "retia/kernels/conv_norm/conv_norm.h"

namespace retia::executor {
namespace {

using kernels::ConvKind;

/// The largest number of inputs per output (channels of a group times kernel area) for which a
/// dense convolution gains from fusion; beyond it ATen's convolution is faster.
constexpr int64_t kMostDenseInputs = 128;

class ConvNorm final : public Instruction {
 public:
  ConvNorm(Slot slot, kernels::ConvNormOptions options, std::vector<at::Tensor> weights,
           std::vector<at::Tensor> affine, Norm norm)
      : Instruction(std::move(slot)),
        options_(options),
        weights_(std::move(weights)),
        affine_(std::move(affine)),
        norm_(std::move(norm)) {}

  bool applies_to(const Frame& frame) const override {
    return dtype_beside(frame[inputs().front()]) == norm_.running_mean.scalar_type();
  }

  void run(Frame& frame) const override {
    at::Tensor& x = frame[inputs().front()];
    x = read_by_fusion(x);  // once for all who read it
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
    frame[outputs().front()] = kernels::conv_norm(x, weights_, affine_, running, options);
  }

  std::string describe(const Program& program) const override {
    std::string text = program.values[outputs().front()].name + ": conv_norm of";
    for (const InstructionPtr& part : replaced()) {
      text += ' ' + decided_type(program, *part);
    }
    return text;
  }

  std::string condition() const override {
    return "x is an image of the dtype of the weights, on a GPU also of half precision";
  }

  /// Reads its input, writes and reads what is normalised, writes its result.
  Work cost(const Program& program) const override {
    Work work;
    for (const InstructionPtr& part : replaced()) {
      work += part->cost(program);
    }
    const bool is_norm_alone = options_.kind == static_cast<int64_t>(ConvKind::None);
    work.numbers = size_of(program.values[inputs().front()]) * (is_norm_alone ? 2 : 1) +
                   size_of(program.values[outputs().front()]) * (is_norm_alone ? 1 : 3);
    return work;
  }

 private:
  kernels::ConvNormOptions options_;
  std::vector<at::Tensor> weights_, affine_;
  Norm norm_;
};

/// Finds instructions that end in a batch normalisation, or in a relu behind one.
class Finder {
 public:
  explicit Finder(const Program& program)
      : program_(program), uses_(uses_of(program)), is_taken_(program.instructions.size()) {}

  std::vector<InstructionPtr> find_all() {
    std::vector<InstructionPtr> all;
    for (size_t i = 0; i < program_.instructions.size(); ++i) {
      if (type(i) == "batch_norm" && made(i).shape.size() == 3) {
        if (auto found = find(i)) {
          all.push_back(std::move(found));
        }
      }
    }
    return all;
  }

 private:
  /// What is found so far of one fused instruction.
  struct Found {
    std::vector<size_t> inside;  // instructions, in order
    Value input = 0;
    kernels::ConvNormOptions options = {};
    std::vector<at::Tensor> weights = {};
  };

  std::string type(size_t i) const {
    return is_taken_[i] ? "" : decided_type(program_, *program_.instructions[i]);
  }
  const LayerInstruction& layer(size_t i) const { return *as_layer(*program_.instructions[i]); }
  Value read(size_t i) const { return program_.instructions[i]->inputs().front(); }
  Value written(size_t i) const { return program_.instructions[i]->outputs().front(); }
  const ValueInfo& info(Value value) const { return program_.values[value]; }
  const ValueInfo& made(size_t i) const { return info(written(i)); }
  at::Tensor weight(size_t i) const { return parameter_of(layer(i), "weight"); }

  /// Returns the instruction of that type that writes what instruction i reads, where nothing else
  /// reads it.
  std::optional<size_t> before(size_t i, const std::string& of_type) const {
    const std::optional<size_t> writer = uses_.writer[read(i)];
    const bool fits = writer && uses_.readers[read(i)].size() == 1 && type(*writer) == of_type;
    return fits ? writer : std::nullopt;
  }

  InstructionPtr find(size_t norm) {
    found_ = {.inside = {norm}, .input = read(norm)};
    if (const auto conv = before(norm, "conv2d")) {
      take_convolution(*conv);
    } else if (const auto joined = before(norm, "concat")) {
      take_halving(*joined);
    } else {
      for (const char* const pool : {"max_pool2d", "avg_pool2d"}) {
        if (const auto step = before(norm, pool); step && is_pool_of_three(layer(*step))) {
          const auto kind = pool[0] == 'm' ? ConvKind::MaxPool3 : ConvKind::AveragePool3;
          take(kind, {*step}, options_of<PoolOptions>(layer(*step)).stride.value());
        }
      }
    }
    if (info(found_.input).channels || info(found_.input).shape.size() != 3) {
      return nullptr;
    }
    return finish(norm);
  }

  /// Puts `first` before what was found, and reads what they read.
  void take(ConvKind kind, const std::vector<size_t>& first, int64_t stride, int64_t dilation = 1) {
    found_.options.kind = static_cast<int64_t>(kind);
    found_.options.stride = stride;
    found_.options.dilation = dilation;
    found_.inside.insert(found_.inside.begin(), first.begin(), first.end());
    found_.input = read(first.front());
    const std::optional<size_t> x = uses_.writer[found_.input];
    const std::vector<size_t>& readers = uses_.readers[found_.input];
    const auto is_first = [&](size_t reader) {
      return std::find(first.begin(), first.end(), reader) != first.end();
    };
    if (x && type(*x) == "relu" && std::all_of(readers.begin(), readers.end(), is_first)) {
      found_.options.relu_before = true;
      found_.inside.insert(found_.inside.begin(), *x);
      found_.input = read(*x);
    }
  }

  bool is_pointwise(size_t i, int64_t stride) const {
    const auto found = convolution(layer(i));
    return found && found->kernel == 1 && found->stride == stride && is_dense(i);
  }

  bool is_dense(size_t i) const { return weight(i).size(1) == info(read(i)).shape[0]; }

  std::optional<Convolution> depthwise(size_t i) const {
    const auto found = convolution(layer(i));
    const int64_t channels = info(read(i)).shape[0];
    const bool fits = found && found->kernel >= 3 && found->kernel <= 7 && weight(i).size(1) == 1 &&
                      weight(i).size(0) == channels;
    return fits ? found : std::nullopt;
  }

  void take_convolution(size_t i) {
    if (info(read(i)).channels) {
      return;
    }
    const auto found = convolution(layer(i));
    const auto first = before(i, "conv2d");
    const auto separable = first && !info(read(*first)).channels ? depthwise(*first) : std::nullopt;
    if (separable && is_pointwise(i, 1)) {
      found_.weights = {weight(*first), weight(i)};
      take(ConvKind::Separable, {*first, i}, separable->stride, separable->dilation);
    } else if (depthwise(i)) {
      found_.weights = {weight(i)};
      take(ConvKind::Depthwise, {i}, found->stride, found->dilation);
    } else if (found && is_dense(i) && found->kernel <= 7 &&
               weight(i)[0].numel() <= kMostDenseInputs) {
      found_.weights = {weight(i)};
      take(ConvKind::Dense, {i}, found->stride, found->dilation);
    }
  }

  /// Takes a factorized reduction: concat(conv2d(x), conv2d(shift(x))), both pointwise, of stride
  /// 2.
  void take_halving(size_t joined) {
    std::vector<size_t> halves;
    for (const Value half : program_.instructions[joined]->inputs()) {
      const std::optional<size_t> writer = uses_.writer[half];
      if (!writer || type(*writer) != "conv2d" || uses_.readers[half].size() != 1) {
        return;
      }
      halves.push_back(*writer);
    }
    if (halves.size() != 2) {
      return;
    }
    const auto shift = before(halves[1], "shift");
    if (shift && read(*shift) == read(halves[0]) && !info(read(*shift)).channels &&
        is_pointwise(halves[0], 2) && is_pointwise(halves[1], 2)) {
      found_.weights = {weight(halves[0]), weight(halves[1])};
      take(ConvKind::Halving, {halves[0], *shift, halves[1], joined}, 2);
    }
  }

  InstructionPtr finish(size_t norm) {
    Norm found = norm_of(layer(norm));
    found_.options.epsilon = found.epsilon;
    std::vector<at::Tensor> affine;
    if (const at::Tensor scale = parameter_of(layer(norm), "weight"); scale.defined()) {
      affine = {scale, parameter_of(layer(norm), "bias")};
    }
    size_t last = norm;
    const std::vector<size_t>& readers = uses_.readers[written(norm)];
    if (readers.size() == 1 && readers.front() < program_.instructions.size() &&
        type(readers.front()) == "relu") {
      last = readers.front();
      found_.options.relu_after = true;
      found_.inside.push_back(last);
    }
    Instruction::Slot slot{.place = program_.instructions[last]->place(),
                           .inputs = {found_.input},
                           .outputs = {written(last)}};
    for (const size_t i : found_.inside) {
      is_taken_[i] = true;
      slot.replaced.push_back(program_.instructions[i]);
    }
    return std::make_shared<ConvNorm>(std::move(slot), found_.options, std::move(found_.weights),
                                      std::move(affine), std::move(found));
  }

  const Program& program_;
  Uses uses_;
  std::vector<bool> is_taken_;
  Found found_;
};

}  // namespace

Program fuse_conv_norm(Program program) {
  for (InstructionPtr& found : Finder(program).find_all()) {
    program.put(std::move(found));
  }
  return program;
}

}  // namespace retia::executor
