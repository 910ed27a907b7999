#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace retia {

/// A data set in memory. A value: copies share the tensors, which are never changed.
struct Dataset {
  std::string name;  ///< name in the table of data sets, for messages
  /// Images: uint8 [n, channels, height, width]; tables: float32 [n, features].
  at::Tensor inputs;
  /// Classes 0 … n_classes-1 as int64 [n], or real numbers as float32 [n] for regression.
  at::Tensor targets;
  /// Number of classes; 0: regression.
  int64_t n_classes = 0;
  /// Mean over the training set: per channel of pixels scaled to [0, 1], or per feature.
  std::vector<double> mean = {};
  /// Standard deviation over the training set, likewise; 1 where a feature is constant.
  std::vector<double> std = {};

  /// Returns the number of samples.
  int64_t size() const { return inputs.size(0); }
  /// Returns whether samples are images; else they are rows of a table.
  bool holds_images() const { return inputs.scalar_type() == at::kByte; }
  /// Returns the shape of one sample, without the batch dimension.
  std::vector<int64_t> sample_shape() const { return inputs.sizes().slice(1).vec(); }
  /// Returns the samples at `indices`, in that order, with the same mean and std. Throws where an
  /// index is out of range.
  Dataset subset(const std::vector<int64_t>& indices) const;
  /// Returns the set on `device`; shares the tensors where they are there already.
  Dataset to(at::Device device) const;
};

/// The two parts of a data set.
struct DataSplits {
  Dataset train;  ///< samples for training and, in part, for validation
  Dataset test;   ///< samples that no search uses, for the final score
};

/// Throws unless inputs and targets fit each other and the description of Dataset. The message
/// begins with the set's name.
void check_dataset(const Dataset& set);

/// Sets mean and std of both parts to those of the training inputs.
DataSplits with_statistics(DataSplits splits);

/// Splits 0 … n-1 into two disjoint ascending lists. The first has fraction · n (rounded) random
/// indices, every set equally likely. Depends on the arguments only. 0 ≤ fraction ≤ 1.
std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t n, double fraction,
                                                                    uint64_t seed);

}  // namespace retia
