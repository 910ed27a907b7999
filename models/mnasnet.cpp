#include "retia/models/mnasnet.h"

#include <algorithm>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/chain.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/mnas_layer.h"
#include "retia/models/width.h"

namespace retia {
namespace {

/// Convolution, normalisation and relu under one scope.
Wire conv_relu(Builder& b, Wire x, const std::string& name, const Conv2dOptions& options) {
  const auto scope = b.scope(name);
  x = b.add("bn", ops::batch_norm(), {b.add("conv", ops::conv2d(options), {x})});
  return b.add("relu", ops::relu(), {x});
}

std::vector<int64_t> ascending(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<int64_t> channels_around(int64_t channels, const std::vector<double>& widths) {
  std::vector<int64_t> around;
  for (const double width : widths) {
    around.push_back(scaled_channels(channels, width, kMobileDivisor));
  }
  return ascending(around);
}

std::vector<int64_t> layers_around(int64_t layers) {
  return ascending({std::max<int64_t>(layers - 1, 1), layers, layers + 1});
}

std::string block_name(size_t block) { return "block" + std::to_string(block); }

/// The shape that a block of the given stride makes: one of `channels`, as its mutator decides.
Shape block_shape(const std::string& name, const std::vector<int64_t>& channels, int64_t stride,
                  const Shape& in) {
  std::vector<ir::Expression> options;
  for (const int64_t n : channels) {
    options.emplace_back(Json(n));
  }
  const auto strided = [stride](const Dim& size) { return (size.value() + stride - 1) / stride; };
  return {ir::Expression::choice(name + "/channels", options), strided(in[1]), strided(in[2])};
}

void check(const MnasnetOptions& o) {
  check_declared(o, "space 'mnasnet'");
  TORCH_CHECK(!o.channels.empty() && o.layers.size() == o.channels.size() &&
                  o.strides.size() == o.channels.size(),
              "space 'mnasnet': channels, layers and strides need one number per block each, got ",
              o.channels.size(), ", ", o.layers.size(), " and ", o.strides.size());
  TORCH_CHECK(
      !o.widths.empty() && !o.kernels.empty() && !o.expansions.empty() && !o.se_ratios.empty(),
      "space 'mnasnet': widths, kernels, expansions and se_ratios need one candidate each");
}

}  // namespace

void MnasnetBlock::mutate(ir::Graph& graph, Sampler& sampler) const {
  for (const ir::NodeId node : graph.labelled(name())) {
    const Json given = std::get<ir::Placeholder>(graph.node(node).body).parameters;
    const auto decide = [&](const char* name, const char* candidates) {
      return sampler.choice(name, given.at(candidates).get<std::vector<Json>>());
    };
    MnasLayerOptions layer{.operation = decide("operation", "operations")};
    layer.kernel = decide("kernel", "kernels").get<Dim>();
    if (layer.operation == MnasOperation::MbConv) {
      layer.expansion = decide("expansion", "expansions").get<Dim>();
    }
    layer.se_ratio = decide("se_ratio", "se_ratios");
    layer.skip = decide("skip", "skips");
    layer.out = decide("channels", "channels").get<Dim>();
    const int64_t depth = decide("layers", "layers");
    std::vector<ir::Operation> layers;
    for (int64_t i = 0; i < depth; ++i) {
      layer.stride = i == 0 ? given.at("stride").get<int64_t>() : 1;
      layers.push_back(ops::mnas_layer(layer));
    }
    graph.update_operation(node, ir::chain(name(), layers));
  }
}

ir::Graph mnasnet_base(const MnasnetOptions& o, const Task& task) {
  check(o);
  Builder b("mnasnet");
  Wire x = b.input("image", {task.input.begin(), task.input.end()});
  x = conv_relu(b, x, "stem", {.out = o.stem_channels, .stride = o.stem_stride});
  for (size_t block = 0; block < o.channels.size(); ++block) {
    const std::vector<int64_t> channels = channels_around(o.channels[block], o.widths);
    const std::string name = block_name(block);
    x = b.placeholder(name,
                      {.label = name,
                       .parameters = {{"operations", {"conv", "sep_conv", "mb_conv"}},
                                      {"kernels", o.kernels},
                                      {"expansions", o.expansions},
                                      {"se_ratios", o.se_ratios},
                                      {"skips", {"none", "identity"}},
                                      {"channels", channels},
                                      {"layers", layers_around(o.layers[block])},
                                      {"stride", o.strides[block]}},
                       .shape = block_shape(name, channels, o.strides[block], b.shape(x))},
                      {x});
  }
  x = conv_relu(b, x, "last", {.out = o.last_channels, .kernel = 1});
  x = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return b.finish();
}

ir::Space mnasnet(const MnasnetOptions& options, const Task& task) {
  ir::GraphMutators blocks;
  for (size_t block = 0; block < options.channels.size(); ++block) {
    blocks.push_back(std::make_shared<MnasnetBlock>(block_name(block)));
  }
  return {mnasnet_base(options, task), blocks};
}

}  // namespace retia
