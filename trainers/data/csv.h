#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "trainers/data/dataset.h"

namespace retia {

enum class CsvTask { Classes, Regression };
NLOHMANN_JSON_SERIALIZE_ENUM(CsvTask,
                             {{CsvTask::Classes, "classes"}, {CsvTask::Regression, "regression"}})

struct CsvOptions {
  std::string target = "";  ///< column to predict: its name, or its number from 0; empty: the last
  CsvTask task = CsvTask::Classes;  ///< classes: whole numbers from 0; regression: any numbers
  std::string separator = ",";      ///< one character
  double test_fraction = 0.2;       ///< of the rows of a single file, above 0, below 1
  uint64_t split_seed = 0;          ///< which rows those are
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CsvOptions, target, task, separator, test_fraction,
                                                split_seed)

/// A line of a CSV file.
struct CsvLine {
  int64_t number = 0;  ///< counted from 1
  std::vector<std::string> fields;
};

/// All lines that are not empty, gzipped or not; fields without surrounding space and quotes, as
/// many in each line as in the first. Errors name file and line.
std::vector<CsvLine> read_csv_lines(const std::filesystem::path& path, char separator);

/// A table of numbers that float32 can hold, gzipped or not. The first line is a header unless all
/// its fields are numbers; fields may be quoted by ", but hold no line break; empty lines are
/// skipped. `n_classes` is the largest class + 1. Without statistics. Errors name file, line, and
/// column.
Dataset read_csv_file(const std::filesystem::path& path, const CsvOptions& options);

/// `path` is a file, whose rows are split, or a folder with train.csv and test.csv (or .csv.gz).
DataSplits read_csv(const std::filesystem::path& path, const CsvOptions& options);

}  // namespace retia
