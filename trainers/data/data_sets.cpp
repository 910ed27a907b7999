#include "retia/trainers/data/data_sets.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "retia/trainers/data/cifar.h"
#include "retia/trainers/data/idx.h"
#include "retia/trainers/data/split.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDigits = 10;
constexpr uint64_t kLimitSeed = 0;

/// Folders that are tried where none is given, the best first.
std::vector<fs::path> usual_folders(const std::string& name) {
  std::vector<fs::path> folders;
  if (const char* const data = std::getenv("RETIA_DATA"); data != nullptr && *data != '\0') {
    folders.push_back(fs::path(data) / name);
  }
  std::error_code unreadable;
  const fs::path program = fs::read_symlink("/proc/self/exe", unreadable);
  if (!unreadable) {
    folders.push_back(program.parent_path().parent_path().parent_path().parent_path() / "data" /
                      name);
  }
  folders.push_back(fs::path(RETIA_SOURCE_DATA) / name);
  folders.push_back(fs::path("/usr/share/datasets") / name);
  return folders;
}

/// Returns how to get the files of a data set, as the beginning of an advice in a message.
std::string remedy(const std::string& name) {
  if (name == "digits" || name == "fashion-mnist") {
    return "run scripts/setup, or ";
  }
  return name == "cifar10" ? "run scripts/fetch_data cifar10, or " : "";
}

DataSplits load_idx(const DataOptions& options) {
  return read_idx_folder(data_folder(options), kDigits);
}

DataSplits load_cifar10(const DataOptions& options) {
  return read_cifar10_folder(data_folder(options));
}

DataSplits load_csv(const DataOptions& options) {
  TORCH_CHECK(!options.dir.empty(),
              "data set 'csv' needs a file, or a folder with train.csv and test.csv: give it by "
              "--data-dir PATH");
  return read_csv(options.dir, options.csv);
}

DataSplits load_synthetic(const DataOptions& options) { return make_synthetic(options.synthetic); }

}  // namespace

DataSplits DataSets::load(const DataOptions& options) const {
  const Loader& loader = loaders_.at(options.name);
  TORCH_CHECK(options.limit >= 0, "the limit of training samples must be at least 0, but is ",
              options.limit);
  DataSplits splits = loader(options);
  for (Dataset* part : {&splits.train, &splits.test}) {
    part->name = options.name;
    check_dataset(*part);
  }
  if (options.limit > 0 && options.limit < splits.train.size()) {
    splits.train = splits.train.subset(drawn_samples(splits.train, options.limit, kLimitSeed));
  }
  return with_statistics(std::move(splits));
}

DataSets standard_data_sets() {
  DataSets sets;
  sets.add("digits", &load_idx);
  sets.add("mnist", &load_idx);
  sets.add("fashion-mnist", &load_idx);
  sets.add("cifar10", &load_cifar10);
  sets.add("csv", &load_csv);
  sets.add("synthetic", &load_synthetic);
  return sets;
}

fs::path data_folder(const DataOptions& options) {
  if (!options.dir.empty()) {
    TORCH_CHECK(fs::is_directory(options.dir), "data set '", options.name, "': there is no folder ",
                options.dir, "; --data-dir names the folder of its files");
    return options.dir;
  }
  const std::vector<fs::path> folders = usual_folders(options.name);
  const auto found = std::find_if(folders.begin(), folders.end(),
                                  [](const fs::path& folder) { return fs::is_directory(folder); });
  TORCH_CHECK(found != folders.end(), "the files of data set '", options.name,
              "' were not found: ", remedy(options.name), "give their folder by --data-dir");
  return *found;
}

}  // namespace retia
