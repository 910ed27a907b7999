#pragma once

#include <string>

#include "retia/engine/ir/builder.h"

namespace retia {

/// The operation of a layer of the MnasNet space.
enum class MnasOperation {
  Conv,     ///< a plain convolution
  SepConv,  ///< depthwise, then pointwise
  MbConv    ///< an inverted residual: SepConv after an expanding pointwise convolution
};

NLOHMANN_JSON_SERIALIZE_ENUM(MnasOperation, {{MnasOperation::Conv, "conv"},
                                             {MnasOperation::SepConv, "sep_conv"},
                                             {MnasOperation::MbConv, "mb_conv"}})

/// The skip connection of a layer of the MnasNet space: none, or the layer's input.
enum class MnasSkip { None, Identity };

NLOHMANN_JSON_SERIALIZE_ENUM(MnasSkip, {{MnasSkip::None, "none"}, {MnasSkip::Identity, "identity"}})

/// The options of ops::mnas_layer.
struct MnasLayerOptions {
  MnasOperation operation = MnasOperation::MbConv;  ///< convolutions of the layer
  Dim out = 0;          ///< output channels; 0: as many as the input has
  Dim kernel = 3;       ///< height and width
  Dim stride = 1;       ///< must be decided
  Dim expansion = 6;    ///< inner channels per input channel of MbConv
  double se_ratio = 0;  ///< channels of squeeze and excitation per input channel; 0: none
  MnasSkip skip = MnasSkip::Identity;  ///< Identity: the input is added where shapes are equal
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MnasLayerOptions, operation, out, kernel, stride,
                                                expansion, se_ratio, skip)

/// Writes the nodes `expand`, `depthwise` and `project`, or `conv`, each with `…_bn` and all but
/// `project` with `…_relu`; `squeeze…`, `excite…` and `scaled` for squeeze and excitation; `add`
/// where the input is added.
Wire mnas_layer_parts(Builder& builder, Wire x, const MnasLayerOptions& options);

namespace ops {
/// Makes a layer of the MnasNet space (Tan et al., CVPR 2019), [C, H, W] → [out, ceil(H / stride),
/// ceil(W / stride)] for odd kernels: an operation, squeeze and excitation (Hu et al., CVPR 2018)
/// after the convolution of size `kernel`, and a skip connection.
ir::Operation mnas_layer(const MnasLayerOptions& options = {});
}  // namespace ops

}  // namespace retia
