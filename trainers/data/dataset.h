#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace retia {

/// A whole data set in memory. A value: copies share the tensors, which nothing changes.
struct Dataset {
  std::string name;
  /// Images: uint8 [n, channels, height, width]; tables: float32 [n, features].
  at::Tensor inputs;
  /// Classes 0 … n_classes-1 as int64 [n], or numbers as float32 [n] for regression.
  at::Tensor targets;
  /// 0: regression.
  int64_t n_classes = 0;
  /// Of the training set: per channel of the pixels scaled to 0 … 1, or per feature.
  std::vector<double> mean = {};
  /// Likewise; 1 where nothing varies.
  std::vector<double> std = {};

  int64_t size() const { return inputs.size(0); }
  bool holds_images() const { return inputs.scalar_type() == at::kByte; }
  /// Shape of one sample, without the batch.
  std::vector<int64_t> sample_shape() const { return inputs.sizes().slice(1).vec(); }
  /// The samples at `indices` in their order; mean and std stay those of the training set. Throws
  /// where an index is not of this set.
  Dataset subset(const std::vector<int64_t>& indices) const;
  /// The same on `device`; shares the tensors where they are there already.
  Dataset to(at::Device device) const;
};

struct DataSplits {
  Dataset train, test;
};

/// Throws unless inputs and targets fit each other and Dataset's description; every error opens
/// with the set's name.
void check_dataset(const Dataset& set);

/// Sets mean and std of both parts to those of the training inputs.
DataSplits with_statistics(DataSplits splits);

/// Two disjoint ascending lists that hold 0 … n-1 together: the first has fraction · n (rounded)
/// random indices, every set equally likely. Depends on the arguments only. 0 ≤ fraction ≤ 1.
std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t n, double fraction,
                                                                    uint64_t seed);

}  // namespace retia
