#include "retia/trainers/data/batches.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "retia/engine/base/random.h"
#include "retia/kernels/augment/augment.h"

namespace retia {
namespace {

// What tells the two uses of a seed apart.
constexpr uint64_t kOrderKey = 1;
constexpr uint64_t kSampleKey = 2;

std::vector<int64_t> all_indices(const Dataset& set) {
  std::vector<int64_t> indices(set.size());
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Dataset standardised_table(const Dataset& set, at::ScalarType dtype) {
  const at::Tensor mean = at::tensor(set.mean, at::kDouble);
  const at::Tensor std = at::tensor(set.std, at::kDouble);
  Dataset result = set;
  result.inputs = ((set.inputs.cpu().to(at::kDouble) - mean) / std).to(dtype);
  return result;
}

}  // namespace

std::vector<Batch> split(const Batch& batch, int64_t n) {
  const int64_t size = std::max<int64_t>((batch.size() + n - 1) / n, 1);
  std::vector<Batch> parts;
  for (int64_t first = 0; first < batch.size(); first += size) {
    const int64_t last = std::min(first + size, batch.size());
    const auto keys = batch.sample_keys.begin();
    parts.push_back({batch.inputs.slice(0, first, last),
                     batch.targets.slice(0, first, last),
                     {keys + first, keys + last}});
  }
  return parts;
}

Batches::Batches(const Dataset& set, std::vector<int64_t> indices, const BatchOptions& options)
    : set_(set), indices_(std::move(indices)), options_(options) {
  check_dataset(set);
  check_augment_options(options.augment);
  TORCH_CHECK(options.dtype == at::kFloat || options.dtype == at::kDouble,
              "batches are made in float32 or float64, but ", options.dtype, " is asked for");
  TORCH_CHECK(options.batch_size >= 1, "the batch size must be at least 1, but is ",
              options.batch_size);
  TORCH_CHECK(options.n_ranks == 1 || options.last == LastBatch::Drop,
              "several ranks share full batches only");
  TORCH_CHECK(options.batch_size % options.n_ranks == 0, "a batch of ", options.batch_size,
              " samples cannot be shared evenly by ", options.n_ranks,
              " ranks: give a multiple of ", options.n_ranks, " by --batch-size");
  const auto n = static_cast<int64_t>(indices_.size());
  const int64_t n_needed = options.last == LastBatch::Drop ? options.batch_size : 1;
  TORCH_CHECK(n >= n_needed, "data set '", set.name, "': ", n_needed,
              " samples or more are needed for one batch, but there are ", n);
  TORCH_CHECK(std::all_of(indices_.begin(), indices_.end(),
                          [&](int64_t index) { return 0 <= index && index < set.size(); }),
              "data set '", set.name, "' has the samples 0 … ", set.size() - 1,
              ", but batches of others are asked for");
  const int64_t n_statistics = set.inputs.size(1);
  TORCH_CHECK(static_cast<int64_t>(set.mean.size()) == n_statistics &&
                  static_cast<int64_t>(set.std.size()) == n_statistics,
              "data set '", set.name, "' needs ", n_statistics, " means and deviations, but has ",
              set.mean.size(), " and ", set.std.size(), ": with_statistics() sets them");
  if (set.holds_images()) {
    levels_ = pixel_levels(set, options.dtype).to(options.device);
  } else {
    set_ = standardised_table(set, options.dtype);
  }
  set_ = set_.to(options.device);
  if (set_.n_classes == 0) {
    set_.targets = set_.targets.to(options.dtype);
  }
}

Batches::Batches(const Dataset& set, const BatchOptions& options)
    : Batches(set, all_indices(set), options) {}

Batches Batches::whole() const {
  Batches all = *this;
  all.options_.rank = 0;
  all.options_.n_ranks = 1;
  return all;
}

int64_t Batches::n_batches() const {
  const auto n = static_cast<int64_t>(indices_.size());
  const int64_t b = options_.batch_size;
  return options_.last == LastBatch::Drop ? n / b : (n + b - 1) / b;
}

int64_t Batches::n_samples() const {
  return std::min<int64_t>(indices_.size(), n_batches() * options_.batch_size);
}

Batch Batches::batch(int64_t epoch, int64_t i) const {
  TORCH_CHECK(epoch >= 0 && 0 <= i && i < n_batches(), "an epoch ≥ 0 has the batches 0 … ",
              n_batches() - 1, ", but batch ", i, " of epoch ", epoch, " is asked for");
  const std::vector<int64_t>& all = order(epoch);
  const int64_t whole = std::min(options_.batch_size, n_samples() - i * options_.batch_size);
  const int64_t share = whole / options_.n_ranks;
  const auto first = all.begin() + i * options_.batch_size + options_.rank * share;
  const std::vector<int64_t> samples(first, first + share);

  Batch result;
  for (const int64_t sample : samples) {
    result.sample_keys.push_back(mix(
        {options_.seed, kSampleKey, static_cast<uint64_t>(epoch), static_cast<uint64_t>(sample)}));
  }
  const at::Tensor which = at::tensor(samples, at::kLong).to(options_.device);
  result.inputs = set_.inputs.index_select(0, which);
  result.targets = set_.targets.index_select(0, which);
  if (set_.holds_images()) {
    const at::Tensor draws = draw_augmentations(result.sample_keys, options_.augment,
                                                set_.inputs.size(2), set_.inputs.size(3));
    result.inputs = kernels::augment(result.inputs, draws.to(options_.device), levels_,
                                     options_.augment.cutout);
  }
  return result;
}

const std::vector<int64_t>& Batches::order(int64_t epoch) const {
  if (options_.order == SampleOrder::Given) {
    return indices_;
  }
  if (epoch != ordered_epoch_) {
    const auto n = static_cast<int64_t>(indices_.size());
    Random random(mix({options_.seed, kOrderKey, static_cast<uint64_t>(epoch)}));
    order_.clear();
    for (const int64_t position : random.permutation(n)) {
      order_.push_back(indices_[position]);
    }
    ordered_epoch_ = epoch;
  }
  return order_;
}

}  // namespace retia
