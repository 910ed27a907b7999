#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainers/data/augmentation.h"
#include "trainers/data/dataset.h"

namespace retia {

enum class SampleOrder { Given, Shuffled };
enum class LastBatch { Keep, Drop };

struct BatchOptions {
  int64_t batch_size = 64;                    ///< samples, ≥ 1
  uint64_t seed = 0;                          ///< of order and augmentation
  SampleOrder order = SampleOrder::Shuffled;  ///< shuffled: anew each epoch
  LastBatch last = LastBatch::Keep;           ///< whether a smaller last batch is kept
  AugmentOptions augment = {};                ///< images only
  at::Device device = at::kCPU;               ///< where the set is held and batches are made
  at::ScalarType dtype = at::kFloat;          ///< of inputs and of real targets: float32 or float64
  int64_t rank = 0, n_ranks = 1;              ///< each rank makes an equal share of each batch
};

struct Batch {
  at::Tensor inputs;   ///< normalised: [b, channels, height, width] or [b, features]
  at::Tensor targets;  ///< int64 [b] classes, or [b] numbers in the dtype of inputs
  /// mix of seed, epoch and the sample's index in the data set: every random draw of a sample, in
  /// the network too, comes from its key, so neither resuming nor sharding can change it.
  std::vector<uint64_t> sample_keys;

  int64_t size() const { return inputs.size(0); }
};

/// The batch in `n` parts one after the other, of equal size where that goes; fewer where it has
/// fewer samples.
std::vector<Batch> split(const Batch& batch, int64_t n);

/// Some samples of a data set, batch by batch. The i-th batch of an epoch is a pure function of
/// (options, epoch, i): there is nothing to save or to resume. The shares of several ranks, one
/// after the other, are the batch that one rank makes. The order of the last epoch asked for is
/// remembered, so one object serves one thread; copies are cheap and share the data.
class Batches {
 public:
  /// Moves the set to the device, where it stays; what is there already is shared, so several
  /// Batches of one set hold it once if it was moved before (Dataset::to). `indices`: the
  /// samples of `set` that take part, at least one; in LastBatch::Drop at least batch_size. Several
  /// ranks need full batches, which they can share evenly.
  Batches(const Dataset& set, std::vector<int64_t> indices, const BatchOptions& options);
  /// All samples of the set.
  Batches(const Dataset& set, const BatchOptions& options);

  /// Batches in an epoch, ≥ 1.
  int64_t n_batches() const;
  /// Samples in an epoch, those of a dropped last batch left out.
  int64_t n_samples() const;
  /// The `i`-th batch of `epoch`, or this rank's share; epoch ≥ 0, 0 ≤ i < n_batches().
  Batch batch(int64_t epoch, int64_t i) const;

  /// What the shares of all ranks are together.
  Batches whole() const;

  const Dataset& dataset() const { return set_; }
  const BatchOptions& options() const { return options_; }

 private:
  const std::vector<int64_t>& order(int64_t epoch) const;

  Dataset set_;
  std::vector<int64_t> indices_;
  BatchOptions options_;
  at::Tensor levels_;  // images: see pixel_levels; on the device
  mutable int64_t ordered_epoch_ = -1;
  mutable std::vector<int64_t> order_;
};

}  // namespace retia
