#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainers/data/augmentation.h"
#include "trainers/data/csv.h"
#include "trainers/data/dataset.h"
#include "trainers/data/synthetic.h"

namespace retia {

struct DataOptions {
  std::string name = "digits";  ///< one of DataSets::names()
  std::string dir = "";         ///< where its files are; csv: the file, or a folder of two
  int64_t limit = 0;            ///< the first so many training samples; 0: all
  double valid_fraction = 0.5;  ///< of the training samples, held out to judge architectures
  AugmentOptions augment = {};  ///< of training images
  CsvOptions csv = {};
  SyntheticOptions synthetic = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DataOptions, name, dir, limit, valid_fraction,
                                                augment, csv, synthetic)

/// Name -> how a data set is loaded.
class DataSets {
 public:
  /// Makes the two parts, with or without statistics. Errors are one line that names the file.
  using Loader = std::function<DataSplits(const DataOptions&)>;

  /// Throws where the name is taken.
  void add(const std::string& name, Loader loader);
  /// The set `options.name`, checked, limited, named, and with the statistics of its (limited)
  /// training part in both parts. An unknown name is an error that suggests the nearest.
  DataSplits load(const DataOptions& options) const;
  /// In alphabetical order.
  std::vector<std::string> names() const;

 private:
  std::map<std::string, Loader> loaders_;
};

/// digits, mnist, fashion-mnist, cifar10, csv, synthetic.
DataSets standard_data_sets();

/// The folder of a data set's files: `options.dir` where given, else the first folder there is of
/// $RETIA_DATA/NAME, data/NAME three folders above the program's, data/NAME of the source tree, and
/// where the system's packages put it. Throws, saying what to do, where there is none.
std::filesystem::path data_folder(const DataOptions& options);

}  // namespace retia
