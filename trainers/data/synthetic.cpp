#include "retia/trainers/data/synthetic.h"

#include <ATen/ops/empty.h>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

constexpr int64_t kPatches = 4;
constexpr uint64_t kPatchKey = 1;
constexpr uint64_t kTrainKey = 2;
constexpr uint64_t kTestKey = 3;

/// Brightness of one patch; far enough from black and white for the noise.
int64_t patch_level(const SyntheticOptions& o, int64_t label, int64_t channel, int64_t patch) {
  const uint64_t key = mix({o.seed, kPatchKey, static_cast<uint64_t>(label),
                            static_cast<uint64_t>(channel), static_cast<uint64_t>(patch)});
  return o.noise + Random(key).below(256 - 2 * o.noise);
}

Dataset make_part(const SyntheticOptions& o, int64_t n, uint64_t part) {
  Dataset set = {.name = "synthetic",
                 .inputs = at::empty({n, o.channels, o.height, o.width}, at::kByte),
                 .targets = at::empty({n}, at::kLong),
                 .n_classes = o.n_classes};
  auto* pixel = set.inputs.mutable_data_ptr<uint8_t>();
  auto* const target = set.targets.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < n; ++i) {
    target[i] = i % o.n_classes;
    Random noise(mix({o.seed, part, static_cast<uint64_t>(i)}));
    for (int64_t channel = 0; channel < o.channels; ++channel) {
      for (int64_t y = 0; y < o.height; ++y) {
        for (int64_t x = 0; x < o.width; ++x) {
          const int64_t patch = y * kPatches / o.height * kPatches + x * kPatches / o.width;
          const int64_t level = patch_level(o, target[i], channel, patch);
          *pixel++ = static_cast<uint8_t>(level - o.noise + noise.below(2 * o.noise + 1));
        }
      }
    }
  }
  return set;
}

}  // namespace

DataSplits make_synthetic(const SyntheticOptions& options) {
  check_declared(options, "data.synthetic");
  return {.train = make_part(options, options.n_train, kTrainKey),
          .test = make_part(options, options.n_test, kTestKey)};
}

}  // namespace retia
