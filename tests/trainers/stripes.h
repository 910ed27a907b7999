#pragma once

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <vector>

#include "retia/engine/base/random.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/trainers/data/batches.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// Noisy images of 6 x 6 pixels with horizontal (class 0) or vertical (class 1) stripes. The two
/// classes are each other's transposes, so nothing that treats both directions alike tells them
/// apart: no pointwise operation, no pooling, only a convolution.
inline Dataset stripes(int64_t n, uint64_t seed) {
  constexpr int64_t kSide = 6;
  Random random(seed);
  std::vector<uint8_t> pixels;
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < n; ++i) {
    classes.push_back(i % 2);
    const int64_t phase = random.below(2);
    for (int64_t row = 0; row < kSide; ++row) {
      for (int64_t column = 0; column < kSide; ++column) {
        const int64_t line = i % 2 == 0 ? row : column;
        pixels.push_back(
            static_cast<uint8_t>(((line + phase) % 2 == 0 ? 80 : 150) + random.below(24)));
      }
    }
  }
  const Dataset set{"stripes", at::tensor(pixels, at::kByte).view({n, 1, kSide, kSide}),
                    at::tensor(classes, at::kLong), 2};
  return with_statistics({set, set}).train;
}

inline Batches stripe_batches(int64_t n, uint64_t seed, int64_t batch_size,
                              at::ScalarType dtype = at::kFloat) {
  return {stripes(n, seed), {.batch_size = batch_size, .seed = seed, .dtype = dtype}};
}

/// A space whose best architecture is known: convolve, and take the result. `op` chooses among
/// none, skip, pool, conv; `mixed` between what goes in and what comes out of it.
inline ir::Graph stripes_space() {
  Builder b("stripes");
  const Wire image = b.input("image", {1, 6, 6});
  const Wire stem = b.add("stem", ops::conv2d({.out = 6, .kernel = 1, .bias = true}), {image});
  const Wire op = b.layer_choice("op",
                                 {{"none", ops::zero()},
                                  {"skip", ops::identity()},
                                  {"pool", ops::max_pool2d()},
                                  {"conv", block()}},
                                 {stem});
  const Wire mixed = b.input_choice("mixed", {stem, op});
  const Wire pooled = b.add("pooled", ops::global_mean(), {b.add("relu", ops::relu(), {mixed})});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {pooled}));
  return b.finish();
}

constexpr int64_t kConv = 3;

/// The architecture that is planted in stripes_space().
inline Architecture planted() { return {{"op", {{kConv}}}, {"mixed", {{1}}}}; }

/// A search of stripes_space() in double on two batches.
inline SearchSetup double_search() {
  SearchSetup setup{.network = Network(stripes_space(), 1),
                    .train = stripe_batches(16, 2, 8, at::kDouble),
                    .valid = stripe_batches(16, 3, 8, at::kDouble)};
  setup.network->to(at::kDouble);
  return setup;
}

/// A search of stripes_space() on a handful of batches.
inline SearchSetup small_search(int64_t epochs, uint64_t seed = 1) {
  return {.network = Network(stripes_space(), seed),
          .train = stripe_batches(52, 2, 8),
          .valid = stripe_batches(20, 3, 8),
          .trainer = {.epochs = epochs},
          .weight_optimizer = {.lr = 0.1}};
}

}  // namespace retia
