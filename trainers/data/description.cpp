#include "retia/trainers/data/description.h"

#include <ATen/ops/cat.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "retia/engine/base/json_difference.h"
#include "retia/engine/io/content_digest.h"
#include "retia/engine/io/safetensors.h"
#include "retia/trainers/data/cifar.h"
#include "retia/trainers/data/compressed_file.h"

namespace retia {
namespace {

std::string digest_of(const at::Tensor& tensor) {
  return content_digest(raw_bytes(storable(tensor)));
}

std::vector<at::Tensor> parts_of(const DataSplits& splits) {
  return {splits.train.inputs, splits.train.targets, splits.test.inputs, splits.test.targets};
}

/// The digests of the features and of the target, which is the last.
Json columns_of(const DataSplits& splits) {
  Json columns = Json::array();
  const at::Tensor inputs = at::cat({splits.train.inputs, splits.test.inputs});
  for (int64_t i = 0; i < inputs.size(1); ++i) {
    columns.push_back(digest_of(inputs.select(1, i)));
  }
  columns.push_back(digest_of(at::cat({splits.train.targets, splits.test.targets})));
  return columns;
}

bool is_table(const DataOptions& options) { return std::filesystem::is_regular_file(options.dir); }

std::vector<std::filesystem::path> found_in(const std::filesystem::path& folder,
                                            const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    files.push_back(find_file(folder, name));
  }
  return files;
}

DataOptions without_limit(DataOptions options) {
  options.limit = 0;
  return options;
}

/// Both parts as one set, without statistics.
Dataset joined(const DataSplits& splits) {
  Dataset whole = splits.train;
  whole.inputs = at::cat({splits.train.inputs, splits.test.inputs});
  whole.targets = at::cat({splits.train.targets, splits.test.targets});
  whole.mean.clear();
  whole.std.clear();
  return whole;
}

/// The name of the first file whose content differs.
std::string differing_file(const Json& before, const Json& now) {
  for (size_t i = 0; i < std::min(before.size(), now.size()); ++i) {
    if (before[i].at("digest") != now[i].at("digest")) {
      return "file " + now[i].at("name").get<std::string>();
    }
  }
  return "";
}

/// The first column whose values differ, of tables with as many columns.
std::string differing_column(const Json& before, const Json& now) {
  for (size_t i = 0; before.size() == now.size() && i < now.size(); ++i) {
    if (before[i] != now[i]) {
      return i + 1 == now.size() ? "its target column"
                                 : c10::str("feature ", i, " (the first of them)");
    }
  }
  return "";
}

}  // namespace

std::string digest_of(const DataSplits& splits) {
  std::string all;
  for (const at::Tensor& part : parts_of(splits)) {
    all += c10::str(part.scalar_type(), part.sizes(), digest_of(part));
  }
  return content_digest(all);
}

Json describe_samples(const DataSplits& splits) {
  Json described = {{"digest", digest_of(splits)},
                    {"n_train", splits.train.size()},
                    {"n_test", splits.test.size()},
                    {"sample_shape", splits.train.sample_shape()},
                    {"n_classes", splits.train.n_classes}};
  if (!splits.train.holds_images()) {
    described["columns"] = columns_of(splits);
  }
  return described;
}

std::vector<std::filesystem::path> data_files(const DataOptions& options) {
  if (options.name == "csv") {
    return is_table(options) ? std::vector<std::filesystem::path>{options.dir}
                             : found_in(options.dir, {"train.csv", "test.csv"});
  }
  if (options.name == "cifar10") {
    return cifar10_files(data_folder(options));
  }
  const std::vector<std::string> of_images = {"digits", "mnist", "fashion-mnist"};
  if (std::find(of_images.begin(), of_images.end(), options.name) == of_images.end()) {
    return {};
  }
  return found_in(data_folder(options), {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"});
}

Dataset load_whole(const DataSets& sets, const DataOptions& options) {
  const bool is_one_file = options.name == "csv" && is_table(options);
  Dataset whole = is_one_file ? read_csv_file(options.dir, options.csv)
                              : joined(sets.load(without_limit(options)));
  whole.name = options.name;
  check_dataset(whole);
  return whole;
}

Json describe(const DataSplits& splits, const DataOptions& options, const Json& known) {
  Json described = describe_samples(splits);
  described["name"] = options.name;
  described["normalisation"] = normalisation_of(splits.train);
  const Json files_known = known.is_object() ? known.value("files", Json()) : Json();
  described["files"] = Json::array();
  for (const std::filesystem::path& file : data_files(options)) {
    const size_t i = described["files"].size();
    described["files"].push_back(describe_file(
        file, files_known.is_array() && i < files_known.size() ? files_known[i] : Json()));
  }
  return described;
}

std::string data_difference(const Json& before, const Json& now) {
  if (before.at("digest") == now.at("digest")) {
    return "";
  }
  for (const char* number : {"n_train", "n_test", "sample_shape", "n_classes"}) {
    if (before.at(number) != now.at(number)) {
      return to_string(JsonChange{number, before.at(number), now.at(number)});
    }
  }
  const Json none = Json::array();
  const std::string column =
      differing_column(before.value("columns", none), now.value("columns", none));
  const std::string file = differing_file(before.value("files", none), now.value("files", none));
  const std::string where = file + (file.empty() || column.empty() ? "" : ", ") + column;
  return (where.empty() ? "its samples" : where) + " had the digest " +
         before.at("digest").get<std::string>().substr(0, 8) + " and has " +
         now.at("digest").get<std::string>().substr(0, 8) + " now";
}

Json normalisation_of(const Dataset& set) { return {{"mean", set.mean}, {"std", set.std}}; }

void set_normalisation(Dataset& set, const Json& normalisation) {
  const auto mean = normalisation.at("mean").get<std::vector<double>>();
  const auto std = normalisation.at("std").get<std::vector<double>>();
  const auto expected = static_cast<size_t>(set.inputs.size(1));
  TORCH_CHECK(mean.size() == expected && std.size() == expected, "data set '", set.name, "' has ",
              expected, set.holds_images() ? " channels" : " features",
              ", but the model was trained on ", mean.size(), ": give data of the same kind");
  set.mean = mean;
  set.std = std;
}

}  // namespace retia
