#pragma once

#include <filesystem>
#include <string>

#include "retia/engine/io/option.h"
#include "retia/trainers/data/dataset.h"

namespace retia {

/// The meaning of the column to predict: classes, or numbers of a regression.
enum class CsvTask { Classes, Regression };
NLOHMANN_JSON_SERIALIZE_ENUM(CsvTask,
                             {{CsvTask::Classes, "classes"}, {CsvTask::Regression, "regression"}})

/// The options of reading tables from CSV files.
struct CsvOptions {
  std::string target = "";          ///< column to predict: name, or number from 0; empty: the last
  CsvTask task = CsvTask::Classes;  ///< Classes: integers from 0; Regression: any numbers
  std::string separator = ",";      ///< one character
  /// Fraction of the rows of a single file that is held out, in (0, 1).
  double test_fraction = 0.2;
  uint64_t split_seed = 0;  ///< seed of the split of a single file
};
inline std::vector<Option> declared(CsvOptions& o) {
  return {
      option("target", o.target, "column to predict: name, or number from 0; empty: the last"),
      option("task", o.task, "what the column holds"),
      option("separator", o.separator, "one character"),
      option("test_fraction", o.test_fraction, Range::between(0, 1),
             "fraction of a single file that is held out"),
      option("split_seed", o.split_seed, Range{0}, "seed of that split"),
  };
}

/// One line of a CSV file.
struct CsvLine {
  int64_t number = 0;  ///< counted from 1
  /// Texts between separators, without surrounding space and quotes.
  std::vector<std::string> fields;
};

/// Returns all non-empty lines of a file, gzipped or not. Fields are stripped of surrounding space
/// and quotes; every line has as many as the first. Errors name file and line.
std::vector<CsvLine> read_csv_lines(const std::filesystem::path& path, char separator);

/// Reads a table of numbers that float32 can represent, gzipped or not. The first line is a header
/// unless all its fields are numbers; fields may be quoted with " but contain no line break; empty
/// lines are skipped. `n_classes` becomes the largest class + 1. Statistics are not set. Errors
/// name file, line and column.
Dataset read_csv_file(const std::filesystem::path& path, const CsvOptions& options);

/// Reads a file, whose rows are split into training and test, each class alike (see split_of), or a
/// folder with train.csv and test.csv (or .csv.gz).
DataSplits read_csv(const std::filesystem::path& path, const CsvOptions& options);

}  // namespace retia
