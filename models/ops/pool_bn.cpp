#include "retia/models/ops/pool_bn.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/pool.h"

namespace retia {

Wire pool_bn_parts(Builder& b, Wire x, const PoolBnOptions& o) {
  const PoolOptions pool{.kernel = o.kernel, .stride = o.stride};
  const bool largest = o.pooling == Pooling::Max;
  x = b.add("pool", largest ? ops::max_pool2d(pool) : ops::avg_pool2d(pool), {x});
  return b.add("bn", ops::batch_norm({.affine = o.affine}), {x});
}

ir::Operation ops::pool_bn(const PoolBnOptions& options) {
  return composite<&pool_bn_parts>("pool_bn", options);
}

}  // namespace retia
