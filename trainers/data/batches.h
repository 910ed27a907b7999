#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "retia/trainers/data/augmentation.h"
#include "retia/trainers/data/dataset.h"

namespace retia {

/// The order of the samples in an epoch: as they are given, or shuffled anew in each epoch.
enum class SampleOrder { Given, Shuffled };
/// The treatment of a last batch with fewer samples: it is kept or dropped.
enum class LastBatch { Keep, Drop };

/// The options by which samples become batches.
struct BatchOptions {
  int64_t batch_size = 64;                    ///< samples per batch, ≥ 1
  uint64_t seed = 0;                          ///< seed of order and augmentation
  SampleOrder order = SampleOrder::Shuffled;  ///< Shuffled: anew in each epoch
  LastBatch last = LastBatch::Keep;           ///< Keep: a smaller last batch is kept
  AugmentOptions augment = {};                ///< images only
  at::Device device = at::kCPU;  ///< device that holds the data set and makes the batches
  /// Dtype of inputs and of real-valued targets: float32 or float64.
  at::ScalarType dtype = at::kFloat;
  int64_t rank = 0;     ///< number of this rank, which makes its share of a batch
  int64_t n_ranks = 1;  ///< number of ranks, which make equal shares
};

/// Some samples, ready for the network, on the device of their Batches.
struct Batch {
  at::Tensor inputs;   ///< normalised: [b, channels, height, width] or [b, features]
  at::Tensor targets;  ///< int64 [b] classes, or [b] numbers with the dtype of inputs
  /// The keys of the samples, [b]: hashes of seed, epoch and index in the data set. All random
  /// draws of a sample, also in the network, derive from its key, so neither resuming nor the
  /// number of ranks changes these draws.
  std::vector<uint64_t> sample_keys;

  /// Returns the number of samples, b.
  int64_t size() const { return inputs.size(0); }
};

/// Splits a batch into `n` consecutive parts, as equal as possible; fewer parts where it has fewer
/// samples.
std::vector<Batch> split(const Batch& batch, int64_t n);

/// Some samples of a data set, batch by batch. Batch i of an epoch is a pure function of (options,
/// epoch, i), so no state needs saving. The shares of all ranks, concatenated, equal the batch of a
/// single rank. The order of the last epoch is cached, so one object serves one thread; copies are
/// cheap and share the data.
class Batches {
 public:
  /// Moves the set to the device, and shares the tensors if they are there already; move it first
  /// (Dataset::to) to let several Batches share one copy. `indices`: the samples of `set` that take
  /// part, at least one, or at least batch_size with LastBatch::Drop. Several ranks need full
  /// batches that divide evenly.
  Batches(const Dataset& set, std::vector<int64_t> indices, const BatchOptions& options);
  /// Uses all samples of the set.
  Batches(const Dataset& set, const BatchOptions& options);

  /// Returns the number of batches in an epoch, ≥ 1.
  int64_t n_batches() const;
  /// Returns the number of samples in an epoch, without a dropped last batch.
  int64_t n_samples() const;
  /// Returns batch `i` of `epoch`, or this rank's share of it; epoch ≥ 0, 0 ≤ i < n_batches().
  Batch batch(int64_t epoch, int64_t i) const;

  /// Returns the same batches without division into ranks.
  Batches whole() const;

  /// Returns the data set, on the device of the batches.
  const Dataset& dataset() const { return set_; }
  /// Returns the options by which batches are made.
  const BatchOptions& options() const { return options_; }

 private:
  const std::vector<int64_t>& order(int64_t epoch) const;

  Dataset set_;
  std::vector<int64_t> indices_;
  BatchOptions options_;
  at::Tensor levels_;  // for images: see pixel_levels; on the device
  mutable int64_t ordered_epoch_ = -1;
  mutable std::vector<int64_t> order_;
};

}  // namespace retia
