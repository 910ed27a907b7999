#pragma once

#include <string>

#include "engine/ir/builder.h"

namespace retia {

enum class MnasOperation {
  Conv,     ///< a plain convolution
  SepConv,  ///< depthwise, then pointwise
  MbConv    ///< the same after a pointwise convolution that expands: an inverted residual
};

NLOHMANN_JSON_SERIALIZE_ENUM(MnasOperation, {{MnasOperation::Conv, "conv"},
                                             {MnasOperation::SepConv, "sep_conv"},
                                             {MnasOperation::MbConv, "mb_conv"}})

enum class MnasSkip { None, Identity };

NLOHMANN_JSON_SERIALIZE_ENUM(MnasSkip, {{MnasSkip::None, "none"}, {MnasSkip::Identity, "identity"}})

struct MnasLayerOptions {
  MnasOperation operation = MnasOperation::MbConv;
  Dim out = 0;          ///< channels; 0: as many as come in
  Dim kernel = 3;       ///< height and width
  Dim stride = 1;       ///< decided
  Dim expansion = 6;    ///< of MbConv: channels inside per channel that comes in
  double se_ratio = 0;  ///< of squeeze and excitation: channels per channel that comes in; 0: none
  MnasSkip skip = MnasSkip::Identity;  ///< identity: the input is added where the shape stays
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MnasLayerOptions, operation, out, kernel, stride,
                                                expansion, se_ratio, skip)

/// Writes the parts: `expand`, `depthwise` and `project`, or `conv`, each with `…_bn`, all but
/// `project` with `…_relu`; `squeeze…`, `excite…` and `scaled` where there is a gate; `add` where
/// the input is added.
Wire mnas_layer_parts(Builder& builder, Wire x, const MnasLayerOptions& options);

namespace ops {
/// [C, H, W] -> [out, ceil(H / stride), ceil(W / stride)] (odd kernels): a layer of the MnasNet
/// space (Tan et al., CVPR 2019), of an operation, a kernel, a gate by squeeze and excitation (Hu
/// et al., CVPR 2018) after the convolution that has the kernel, and a skip connection.
ir::Operation mnas_layer(const MnasLayerOptions& options = {});
}  // namespace ops

}  // namespace retia
