#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/trainers/data/data_sets.h"

namespace retia {

/// Returns the digest of all samples of both parts with their targets, in their order. Equal for
/// data that were moved, copied or compressed; other where a sample, its class or the order differs.
std::string digest_of(const DataSplits& splits);

/// Describes the samples alone: {"digest", "n_train", "n_test", "sample_shape", "n_classes"}, and for
/// tables "columns", a digest of each.
Json describe_samples(const DataSplits& splits);

/// Describes loaded data: what describe_samples() tells, and {"name", "files": see describe_file,
/// "normalisation": {"mean", "std"}}. `known`: an earlier description, whose digests count for files that were not touched.
Json describe(const DataSplits& splits, const DataOptions& options, const Json& known = nullptr);

/// Returns the files of a built-in data set; none where it has none. Throws one line that names a
/// missing one.
std::vector<std::filesystem::path> data_files(const DataOptions& options);

/// Loads all samples as one set, in the order of the files, without limit and statistics. It may
/// hold fewer samples than a split needs, and some of the classes only.
Dataset load_whole(const DataSets& sets, const DataOptions& options);

/// Returns what differs first between two descriptions, for users: "file train.csv", "column 3 of
/// the table", "the number of training samples was …"; empty where the samples are the same.
std::string data_difference(const Json& before, const Json& now);

/// Returns the mean and standard deviation of a data set: {"mean", "std"}.
Json normalisation_of(const Dataset& set);
/// Sets mean and standard deviation to those that normalisation_of() wrote. Throws where the set has
/// another number of channels or features.
void set_normalisation(Dataset& set, const Json& normalisation);

}  // namespace retia
