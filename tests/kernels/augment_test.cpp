#include "retia/kernels/augment/augment.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>
#include <vector>

#include "retia/engine/base/device.h"
#include "retia/kernels/augment/augment_cases.h"
#include "retia/tests/kernels/on_threads.h"

namespace retia::kernels {
namespace {

struct AugmentInputs {
  at::Tensor images, draws, levels;
};

at::Tensor random_draws(const AugmentCase& shape) {
  const int64_t n = shape.n;
  const int64_t p = shape.crop_padding;
  return at::stack({at::randint(-p, p + 1, {n}), at::randint(-p, p + 1, {n}), at::randint(2, {n}),
                    at::randint(shape.height, {n}), at::randint(shape.width, {n})},
                   1)
      .to(at::kInt);
}

AugmentInputs random_inputs(const AugmentCase& shape, at::ScalarType dtype) {
  return {
      .images = at::randint(256, {shape.n, shape.channels, shape.height, shape.width}, at::kByte),
      .draws = random_draws(shape),
      .levels = at::randn({shape.channels, 256}, dtype)};
}

/// The definition, value by value.
at::Tensor augment_by_loops(const AugmentInputs& in, int64_t cutout) {
  const at::Tensor out = at::zeros(in.images.sizes(), at::kDouble);
  const auto images = in.images.accessor<uint8_t, 4>();
  const auto draws = in.draws.accessor<int32_t, 2>();
  const auto levels = in.levels.accessor<double, 2>();
  auto result = out.accessor<double, 4>();
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  for (int64_t i = 0; i < images.size(0); ++i) {
    for (int64_t c = 0; c < images.size(1); ++c) {
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const int64_t top = draws[i][kCutoutRow] - cutout / 2;
          const int64_t left = draws[i][kCutoutColumn] - cutout / 2;
          if (y >= top && y < top + cutout && x >= left && x < left + cutout) {
            continue;
          }
          const int64_t row = y + draws[i][kShiftDown];
          const int64_t column =
              (draws[i][kMirror] != 0 ? width - 1 - x : x) + draws[i][kShiftRight];
          const bool inside = row >= 0 && row < height && column >= 0 && column < width;
          result[i][c][y][x] = levels[c][inside ? images[i][c][row][column] : 0];
        }
      }
    }
  }
  return out;
}

std::vector<AugmentCase> odd_cases() {
  std::vector<AugmentCase> cases = augment_cases();
  cases.push_back({"one_value", 1, 1, 1, 1, 0, 0});
  cases.push_back({"one_value_cut", 1, 1, 1, 1, 0, 1});
  cases.push_back({"odd", 3, 5, 7, 13, 3, 5});
  cases.push_back({"shifted_out_of_sight", 8, 2, 3, 4, 9, 2});
  cases.push_back({"cutout_larger_than_image", 4, 2, 5, 6, 1, 99});
  cases.push_back({"empty", 0, 3, 8, 8, 1, 2});
  cases.push_back({"without_columns", 2, 3, 8, 0, 1, 2});
  return cases;
}

TEST(Augment, EqualsTheReferenceOnEveryDeviceAndType) {
  torch::manual_seed(1);
  for (const at::Device device : available_devices()) {
    for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
      for (const AugmentCase& shape : odd_cases()) {
        SCOPED_TRACE(c10::str(shape.name, " ", dtype, " ", device));
        if (shape.width == 0) {
          const at::Tensor images =
              at::empty({shape.n, shape.channels, shape.height, 0}, at::kByte);
          const at::Tensor out =
              augment(images.to(device), at::zeros({shape.n, 5}, at::kInt).to(device),
                      at::zeros({shape.channels, 256}, dtype).to(device), shape.cutout);
          EXPECT_EQ(out.sizes(), images.sizes());
          continue;
        }
        const AugmentInputs in = random_inputs(shape, dtype);
        const at::Tensor expected =
            reference::augment(in.images, in.draws, in.levels, shape.cutout);
        const at::Tensor out =
            augment(in.images.to(device), in.draws.to(device), in.levels.to(device), shape.cutout);
        EXPECT_EQ(out.scalar_type(), dtype);
        EXPECT_TRUE(out.is_contiguous());
        EXPECT_TRUE(at::equal(out.cpu(), expected));
      }
    }
  }
}

TEST(Augment, ReferenceFollowsTheDefinition) {
  torch::manual_seed(2);
  for (const AugmentCase& shape : odd_cases()) {
    if (shape.n * shape.height > 1000 || shape.width == 0) {
      continue;
    }
    SCOPED_TRACE(shape.name);
    const AugmentInputs in = random_inputs(shape, at::kDouble);
    EXPECT_TRUE(at::equal(reference::augment(in.images, in.draws, in.levels, shape.cutout),
                          augment_by_loops(in, shape.cutout)));
  }
}

TEST(Augment, ShiftsMirrorsAndCutsOneRow) {
  const at::Tensor images = at::tensor({10, 20, 30, 40}, at::kByte).view({1, 1, 1, 4});
  const at::Tensor levels = at::arange(256, at::kFloat).add(1000).view({1, 256});
  const auto row = [&](std::vector<int32_t> draws, int64_t cutout) {
    return augment(images, at::tensor(draws, at::kInt).view({1, 5}), levels, cutout).flatten();
  };
  EXPECT_TRUE(at::equal(row({0, 0, 0, 0, 0}, 0), at::tensor({1010.f, 1020.f, 1030.f, 1040.f})));
  EXPECT_TRUE(at::equal(row({0, 1, 0, 0, 0}, 0), at::tensor({1020.f, 1030.f, 1040.f, 1000.f})));
  EXPECT_TRUE(at::equal(row({0, 1, 1, 0, 0}, 0), at::tensor({1000.f, 1040.f, 1030.f, 1020.f})));
  EXPECT_TRUE(at::equal(row({1, 0, 0, 0, 0}, 0), at::full({4}, 1000.f)));
  EXPECT_TRUE(at::equal(row({0, 0, 0, 0, 3}, 2), at::tensor({1010.f, 1020.f, 0.f, 0.f})));
}

TEST(Augment, ReadsTensorsThatAreNotContiguous) {
  torch::manual_seed(3);
  const AugmentCase shape = {"strided", 5, 3, 6, 9, 2, 3};
  const AugmentInputs in = random_inputs(shape, at::kFloat);
  const at::Tensor expected = reference::augment(in.images, in.draws, in.levels, shape.cutout);
  for (const at::Device device : available_devices()) {
    const at::Tensor images =
        in.images.to(device).permute({0, 2, 3, 1}).contiguous().permute({0, 3, 1, 2});
    const at::Tensor draws = in.draws.to(device).t().contiguous().t();
    const at::Tensor levels = in.levels.to(device).t().contiguous().t();
    ASSERT_FALSE(images.is_contiguous() || draws.is_contiguous() || levels.is_contiguous());
    EXPECT_TRUE(at::equal(augment(images, draws, levels, shape.cutout).cpu(), expected));
    EXPECT_TRUE(at::equal(reference::augment(images, draws, levels, shape.cutout).cpu(), expected));
  }
}

TEST(Augment, GivesTheSameBitsOnAnyNumberOfThreads) {
  torch::manual_seed(4);
  const AugmentCase shape = {"threads", 37, 3, 63, 65, 4, 9};
  const AugmentInputs in = random_inputs(shape, at::kFloat);
  expect_same_bits_on_any_threads([&] {
    return std::vector<at::Tensor>{augment(in.images, in.draws, in.levels, shape.cutout)};
  });
}

TEST(Augment, RefusesWrongShapesAndTypes) {
  const AugmentInputs in = random_inputs({"small", 2, 3, 4, 5, 1, 2}, at::kFloat);
  EXPECT_THROW(augment(in.images.to(at::kFloat), in.draws, in.levels, 0), c10::Error);
  EXPECT_THROW(augment(in.images[0], in.draws, in.levels, 0), c10::Error);
  EXPECT_THROW(augment(in.images, in.draws.slice(0, 1), in.levels, 0), c10::Error);
  EXPECT_THROW(augment(in.images, in.draws.slice(1, 1), in.levels, 0), c10::Error);
  EXPECT_THROW(augment(in.images, in.draws.to(at::kLong), in.levels, 0), c10::Error);
  EXPECT_THROW(augment(in.images, in.draws, in.levels.slice(0, 1), 0), c10::Error);
  EXPECT_THROW(augment(in.images, in.draws, in.levels.to(at::kHalf), 0), c10::Error);
  EXPECT_THROW(augment(in.images, in.draws, in.levels, -1), c10::Error);
}

}  // namespace
}  // namespace retia::kernels
