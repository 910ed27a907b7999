#include "retia/engine/operations/gate.h"

#include <ATen/ops/allclose.h>
#include <gmock/gmock.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Scale, MultipliesEachChannelOfEachSampleByItsNumber) {
  const at::Tensor x = at::arange(24, at::kDouble).view({2, 3, 2, 2});
  const at::Tensor s = at::arange(6, at::kDouble).view({2, 3}) + 1;
  const at::Tensor y = result_of(ops::scale(), {x, s});
  for (int64_t sample = 0; sample < 2; ++sample) {
    for (int64_t channel = 0; channel < 3; ++channel) {
      const double factor = static_cast<double>(3 * sample + channel + 1);
      EXPECT_TRUE(at::allclose(y[sample][channel], x[sample][channel] * factor));
    }
  }
  EXPECT_EQ(inferred(ops::scale(), {{3, 2, 2}, {3}}), "[3, 2, 2]");
}

TEST(Scale, RefusesOtherShapes) {
  EXPECT_THAT(error_of([] {
                inferred(ops::scale(), {{3, 2, 2}, {2}});
              }),
              HasSubstr("expected a number for each channel of [3, 2, 2], got [2]"));
  EXPECT_THAT(error_of([] {
                inferred(ops::scale(), {{3, 2, 2}});
              }),
              HasSubstr("expected a value and a number a channel, got 1 inputs"));
}

}  // namespace
}  // namespace retia
