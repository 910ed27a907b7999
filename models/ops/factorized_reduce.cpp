#include "retia/models/ops/factorized_reduce.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/reshape.h"

namespace retia {

Wire factorized_reduce_parts(Builder& b, Wire x, const FactorizedReduceOptions& o) {
  const Dim out = o.out.decided() && o.out.value() == 0 ? b.channels(x) : o.out;
  const Dim half = floor_div(out, 2);
  const Wire relu = b.add("relu", ops::relu(), {x});
  const Wire even = b.add("even", ops::conv2d({.out = half, .kernel = 1, .stride = 2}), {relu});
  const Wire shifted = b.add("shift", ops::shift(), {relu});
  const Wire odd =
      b.add("odd", ops::conv2d({.out = out - half, .kernel = 1, .stride = 2}), {shifted});
  const Wire joined = b.add("concat", ops::concat(), {even, odd});
  return b.add("bn", ops::batch_norm({.affine = o.affine}), {joined});
}

ir::Operation ops::factorized_reduce(const FactorizedReduceOptions& options) {
  return composite<&factorized_reduce_parts>("factorized_reduce", options);
}

}  // namespace retia
