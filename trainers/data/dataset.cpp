#include "retia/trainers/data/dataset.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

struct Statistics {
  std::vector<double> mean, std;

  void add(double channel_mean, double variance) {
    mean.push_back(channel_mean);
    std.push_back(variance > 0 ? std::sqrt(variance) : 1.0);
  }
};

/// Exact: from the counts of the 256 pixel values.
Statistics image_statistics(const at::Tensor& images) {
  const at::Tensor value = at::arange(256, at::kDouble) / 255;
  Statistics statistics;
  for (int64_t channel = 0; channel < images.size(1); ++channel) {
    const at::Tensor counts = at::bincount(images.select(1, channel).flatten(), {}, 256);
    const at::Tensor share = counts.to(at::kDouble) / counts.sum();
    const at::Tensor mean = (share * value).sum();
    statistics.add(mean.item<double>(), (share * (value - mean).square()).sum().item<double>());
  }
  return statistics;
}

Statistics table_statistics(const at::Tensor& table) {
  const at::Tensor values = table.to(at::kDouble);
  const at::Tensor mean = values.mean(0);
  const at::Tensor variance = (values - mean).square().mean(0);
  Statistics statistics;
  for (int64_t feature = 0; feature < table.size(1); ++feature) {
    statistics.add(mean[feature].item<double>(), variance[feature].item<double>());
  }
  return statistics;
}

}  // namespace

Dataset Dataset::subset(const std::vector<int64_t>& indices) const {
  const bool all_known = std::all_of(indices.begin(), indices.end(),
                                     [&](int64_t index) { return 0 <= index && index < size(); });
  TORCH_CHECK(all_known, "data set '", name, "' has the samples 0 … ", size() - 1,
              ", but a subset asks for others");
  const at::Tensor which = at::tensor(indices, at::kLong).to(inputs.device());
  Dataset part = *this;
  part.inputs = inputs.index_select(0, which);
  part.targets = targets.index_select(0, which);
  return part;
}

Dataset Dataset::to(at::Device device) const {
  Dataset moved = *this;
  moved.inputs = inputs.to(device);
  moved.targets = targets.to(device);
  return moved;
}

void check_dataset(const Dataset& set) {
  TORCH_CHECK(set.inputs.defined() && set.targets.defined(), "data set '", set.name,
              "' lacks inputs or targets");
  const at::ScalarType dtype = set.inputs.scalar_type();
  TORCH_CHECK(
      (dtype == at::kByte && set.inputs.dim() == 4) ||
          (dtype == at::kFloat && set.inputs.dim() == 2),
      "data set '", set.name,
      "': inputs must be uint8 [n, channels, height, width] or float32 [n, features], but are ",
      dtype, " ", set.inputs.sizes());
  const at::ScalarType target_dtype = set.n_classes > 0 ? at::kLong : at::kFloat;
  TORCH_CHECK(set.targets.dim() == 1 && set.targets.scalar_type() == target_dtype, "data set '",
              set.name, "': targets must be ", target_dtype, " [n], but are ",
              set.targets.scalar_type(), " ", set.targets.sizes());
  TORCH_CHECK(set.targets.size(0) == set.inputs.size(0), "data set '", set.name, "' has ",
              set.inputs.size(0), " inputs but ", set.targets.size(0), " targets");
  TORCH_CHECK(set.inputs.numel() > 0, "data set '", set.name, "' is empty: its inputs are ",
              set.inputs.sizes());
  if (set.n_classes > 0) {
    const auto lowest = set.targets.min().item<int64_t>();
    const auto highest = set.targets.max().item<int64_t>();
    TORCH_CHECK(lowest >= 0 && highest < set.n_classes, "data set '", set.name,
                "' has the classes 0 … ", set.n_classes - 1, ", but its targets reach from ",
                lowest, " to ", highest);
  }
}

DataSplits with_statistics(DataSplits splits) {
  const at::Tensor& inputs = splits.train.inputs;
  const Statistics statistics =
      splits.train.holds_images() ? image_statistics(inputs) : table_statistics(inputs);
  for (Dataset* part : {&splits.train, &splits.test}) {
    part->mean = statistics.mean;
    part->std = statistics.std;
  }
  return splits;
}

std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t n, double fraction,
                                                                    uint64_t seed) {
  TORCH_CHECK(n >= 0 && fraction >= 0 && fraction <= 1,
              "a split needs n ≥ 0 samples and a fraction of 0 … 1, but got n = ", n,
              " and fraction = ", fraction);
  const auto n_first = static_cast<int64_t>(std::llround(fraction * static_cast<double>(n)));
  const std::vector<int64_t> first = Random(seed).choose(n_first, n);
  std::vector<int64_t> second;
  second.reserve(n - n_first);
  auto next = first.begin();
  for (int64_t index = 0; index < n; ++index) {
    if (next != first.end() && *next == index) {
      ++next;
    } else {
      second.push_back(index);
    }
  }
  return {first, second};
}

}  // namespace retia
