#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The shape of the result of an input choice that chose nothing.
struct NothingChosenOptions {
  Shape shape;  ///< shape of the result, without the batch dimension
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NothingChosenOptions, shape)

namespace ops {
/// Makes the sum of inputs of equal shape.
ir::Operation add();
/// Makes the mean of inputs of equal shape.
ir::Operation mean();
/// Makes the concatenation of inputs along the first dimension (channels); all other sizes agree.
ir::Operation concat();
/// Makes zeros with the batch size of its input: the result of an input choice that chose nothing.
/// Its type in JSON is "zeros".
ir::Operation nothing_chosen(const NothingChosenOptions& options);
}  // namespace ops

}  // namespace retia
