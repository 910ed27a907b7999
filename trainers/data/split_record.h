#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/trainers/data/split.h"

namespace retia {

/// The samples of each part of a run's data by what they hold, so that they are recognised in other
/// files, in another order and with other labels.
struct SplitRecord {
  double valid_fraction = 0;  ///< fraction that split_of was given
  uint64_t seed = 0;          ///< seed that split_of was given
  /// Hashes of the samples that trained, that were held out to choose by, and that the final score
  /// is of; in the order of the data.
  std::vector<uint64_t> train, valid, test;

  friend bool operator==(const SplitRecord&, const SplitRecord&) = default;
};

/// Returns a hash of the input of each sample; labels do not enter. Equal on every machine.
std::vector<uint64_t> content_hashes(const Dataset& set);

/// Returns the record of `split`, which split_of made of data.train.
SplitRecord record_of(const DataSplits& data, const Split& split, double valid_fraction,
                      uint64_t seed);

/// Returns how a split was made, and of each part the number of samples and a digest.
Json to_json(const SplitRecord& record);

/// Writes `split.json`, for people, and the hashes as `split.safetensors` into the folder of a run.
void write_split(const std::filesystem::path& run, const SplitRecord& record);

/// Reads what write_split wrote; none where the folder holds no split.
std::optional<SplitRecord> read_split(const std::filesystem::path& run);

/// Returns the indices, ascending, of those of `hashes` that are among `others`.
std::vector<int64_t> found_in(const std::vector<uint64_t>& hashes,
                              const std::vector<uint64_t>& others);

}  // namespace retia
