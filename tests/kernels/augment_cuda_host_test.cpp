// The CUDA code of augment, compiled for the host.
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "retia/kernels/augment/augment.h"
#include "retia/kernels/augment/augment_cases.h"
#include "retia/kernels/augment/augment_cuda.cu"  // NOLINT(bugprone-suspicious-include)

namespace retia::kernels {
namespace {

template <class T>
at::Tensor augment_on_host(const at::Tensor& images, const at::Tensor& draws,
                           const at::Tensor& levels, int64_t cutout) {
  at::Tensor out = at::empty(images.sizes(), levels.options());
  const cuda::AugmentShape shape = {images.size(0), images.size(1), images.size(2), images.size(3),
                                    cutout};
  cuda::launch_augment(images.const_data_ptr<uint8_t>(), draws.const_data_ptr<int32_t>(),
                       levels.const_data_ptr<T>(), out.mutable_data_ptr<T>(), shape, nullptr);
  return out;
}

TEST(AugmentCudaHost, EqualsTheReference) {
  std::vector<AugmentCase> cases = augment_cases();
  cases.push_back({"one_value", 1, 1, 1, 1, 0, 1});
  cases.push_back({"odd", 3, 5, 7, 13, 3, 5});
  cases.push_back({"shifted_out_of_sight", 8, 2, 3, 4, 9, 2});
  for (const AugmentCase& shape : cases) {
    if (shape.n * shape.channels * shape.height * shape.width > 250'000) {
      continue;
    }
    SCOPED_TRACE(shape.name);
    const int64_t n = shape.n;
    const int64_t p = shape.crop_padding;
    const at::Tensor images =
        at::randint(256, {n, shape.channels, shape.height, shape.width}, at::kByte);
    const at::Tensor draws =
        at::stack({at::randint(-p, p + 1, {n}), at::randint(-p, p + 1, {n}), at::randint(2, {n}),
                   at::randint(shape.height, {n}), at::randint(shape.width, {n})},
                  1)
            .to(at::kInt);
    const at::Tensor levels = at::randn({shape.channels, 256}, at::kDouble);
    EXPECT_TRUE(at::equal(augment_on_host<double>(images, draws, levels, shape.cutout),
                          reference::augment(images, draws, levels, shape.cutout)));
    EXPECT_TRUE(
        at::equal(augment_on_host<float>(images, draws, levels.to(at::kFloat), shape.cutout),
                  reference::augment(images, draws, levels.to(at::kFloat), shape.cutout)));
  }
}

}  // namespace
}  // namespace retia::kernels
