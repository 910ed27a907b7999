#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "retia/engine/base/named_table.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/data/augmentation.h"
#include "retia/trainers/data/csv.h"
#include "retia/trainers/data/dataset.h"
#include "retia/trainers/data/synthetic.h"

namespace retia {

/// The options of loading a data set.
struct DataOptions {
  std::string name = "digits";  ///< a name in DataSets::names()
  std::string dir = "";         ///< folder of its files; for csv: the file, or a folder of two
  /// Number of training samples to use, drawn at random, each class alike; 0: all.
  int64_t limit = 0;
  /// Fraction of the training samples that is held out for validation, in [0, 1).
  double valid_fraction = 0.5;
  AugmentOptions augment = {};  ///< augmentation of training images
  CsvOptions csv = {};
  SyntheticOptions synthetic = {};
};
inline std::vector<Option> declared(DataOptions& o) {
  return {
      option("name", o.name, Names{.table = "data set"}, "data set"),
      option("dir", o.dir, "folder of its files; csv: the file, or a folder of two"),
      option("limit", o.limit, Range{0, 1e12}, "training samples to use; 0: all"),
      option("valid_fraction", o.valid_fraction, Range::from_to_below(0, 1),
             "fraction of the training samples that is held out for validation"),
      option("augment", o.augment, "augmentation of training images"),
      option("csv", o.csv, "tables"),
      option("synthetic", o.synthetic, "synthetic images"),
  };
}

/// A table name → loader of a data set.
class DataSets {
 public:
  /// Loads the training and the test part; statistics may be missing. Errors are one line that
  /// names the file.
  using Loader = std::function<DataSplits(const DataOptions&)>;

  /// Adds a loader. Throws where the name is taken.
  void add(const std::string& name, Loader loader) { loaders_.add(name, std::move(loader)); }
  /// Loads the set `options.name`: checks and limits it, and sets name and statistics of both
  /// parts, the latter from the (limited) training part. Throws, naming the nearest name, on an
  /// unknown name.
  DataSplits load(const DataOptions& options) const;
  /// Returns all names in alphabetical order.
  std::vector<std::string> names() const { return loaders_.names(); }

 private:
  NamedTable<Loader> loaders_{"data set"};
};

/// Returns a table of the built-in data sets.
DataSets standard_data_sets();

/// Returns the folder of a data set's files: `options.dir` if set; else the first that exists of
/// $RETIA_DATA/NAME, data/NAME three folders above the program's folder, data/NAME in the source
/// tree, and the folder of the system's packages. Throws, with a remedy, where there is none.
std::filesystem::path data_folder(const DataOptions& options);

}  // namespace retia
