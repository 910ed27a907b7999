#include "retia/engine/executor/recognition.h"

#include <algorithm>

#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/pool.h"
#include "retia/kernels/autocast.h"

namespace retia::executor {
namespace {

/// Adds to `read` what the instructions that `instruction` replaced read and it does not.
void add_replaced_reads(const Instruction& instruction, std::vector<Value>& read) {
  for (const InstructionPtr& other : instruction.replaced()) {
    for (const Value value : other->inputs()) {
      if (std::find(read.begin(), read.end(), value) == read.end()) {
        read.push_back(value);
      }
    }
    add_replaced_reads(*other, read);
  }
}

}  // namespace

Uses uses_of(const Program& program) {
  Uses uses{std::vector<std::optional<size_t>>(program.values.size()),
            std::vector<std::vector<size_t>>(program.values.size())};
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& instruction = *program.instructions[i];
    std::vector<Value> read = instruction.inputs();
    add_replaced_reads(instruction, read);
    for (const Value value : read) {
      uses.readers[value].push_back(i);
    }
    for (const Value value : instruction.outputs()) {
      uses.writer[value] = i;
    }
  }
  for (const Value output : program.outputs) {
    uses.readers[output].push_back(program.instructions.size());
  }
  return uses;
}

const LayerInstruction* as_layer(const Instruction& instruction) {
  return dynamic_cast<const LayerInstruction*>(&instruction);
}

std::string decided_type(const Program& program, const Instruction& instruction) {
  const LayerInstruction* const layer = as_layer(instruction);
  bool is_decided = layer != nullptr && !program.values[instruction.outputs().front()].channels;
  if (is_decided) {
    layer->operation().visit_choices([&](const auto&...) { is_decided = false; });
  }
  return is_decided ? layer->operation().type() : "";
}

at::Tensor parameter_of(const LayerInstruction& instruction, const std::string& name) {
  const auto parameters = instruction.layer()->named_parameters();
  const at::Tensor* const found = parameters.find(name);
  return found != nullptr ? *found : at::Tensor();
}

std::optional<Convolution> convolution(const LayerInstruction& instruction) {
  const auto o = options_of<Conv2dOptions>(instruction);
  const int64_t half = o.dilation.value() * (o.kernel.value() - 1) / 2;
  const int64_t padding = o.padding.value();
  if (o.bias.value() || o.kernel.value() % 2 == 0 || (padding != -1 && padding != half)) {
    return std::nullopt;
  }
  return Convolution{o.kernel.value(), o.stride.value(), o.dilation.value()};
}

bool is_pool_of_three(const LayerInstruction& instruction) {
  const auto o = options_of<PoolOptions>(instruction);
  return o.kernel.value() == 3 && (o.padding.value() == -1 || o.padding.value() == 1);
}

Norm norm_of(const LayerInstruction& instruction) {
  const auto layer = std::dynamic_pointer_cast<BatchNormLayer>(instruction.layer());
  const auto statistics = layer->named_buffers();
  return {layer, statistics["running_mean"], statistics["running_var"],
          options_of<BatchNormOptions>(instruction).epsilon.value()};
}

at::Tensor read_by_fusion(const at::Tensor& x) {
  return kernels::autocast(x).contiguous(at::MemoryFormat::ChannelsLast);
}

std::optional<at::ScalarType> dtype_beside(const at::Tensor& x) {
  const at::ScalarType dtype = kernels::dtype_read(x);
  const bool is_half = dtype == at::kHalf || dtype == at::kBFloat16;
  const bool fits = (x.is_cuda() || (x.is_cpu() && !is_half)) && x.dim() == 4 && x.numel() > 0 &&
                    (is_half || dtype == at::kFloat || dtype == at::kDouble);
  return fits ? std::optional(is_half ? at::kFloat : dtype) : std::nullopt;
}

}  // namespace retia::executor
