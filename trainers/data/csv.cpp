#include "retia/trainers/data/csv.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "retia/engine/base/suggest.h"
#include "retia/trainers/data/compressed_file.h"
#include "retia/trainers/data/split.h"

namespace retia {
namespace {

constexpr double kMostClasses = 1e6;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The fields of one line, without surrounding space and quotes; a doubled quote stands for one.
std::vector<std::string> split_line(std::string_view line, char separator) {
  std::vector<std::string> fields;
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        field += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (c == separator && !quoted) {
      fields.emplace_back(trimmed(field));
      field.clear();
    } else {
      field += c;
    }
  }
  fields.emplace_back(trimmed(field));
  return fields;
}

std::optional<double> number(std::string_view field) {
  if (!field.empty() && field.front() == '+') {
    field.remove_prefix(1);
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  const bool whole = error == std::errc() && stop == field.data() + field.size();
  const bool fits = std::abs(value) <= std::numeric_limits<float>::max();
  return whole && fits ? std::optional(value) : std::nullopt;
}

/// The table before a column is made the target.
struct Table {
  std::vector<std::string> header;  // empty where the file has none
  std::vector<double> values;       // row by row
  std::vector<int64_t> lines;       // of each row, counted from 1
  int64_t n_columns = 0;

  std::string column(int64_t index) const {
    const std::string place = "column " + std::to_string(index);
    return header.empty() ? place : place + " ('" + header[index] + "')";
  }
};

Table read_table(const std::filesystem::path& path, char separator) {
  Table table;
  for (const auto& [line_number, fields] : read_csv_lines(path, separator)) {
    if (table.n_columns == 0) {
      table.n_columns = static_cast<int64_t>(fields.size());
      if (!std::all_of(fields.begin(), fields.end(), number)) {
        table.header = fields;
        continue;
      }
    }
    for (int64_t column = 0; column < table.n_columns; ++column) {
      const std::optional<double> value = number(fields[column]);
      TORCH_CHECK(value.has_value(), path.string(), ", line ", line_number, ", ",
                  table.column(column), ": expected a number, but got '", fields[column], "'");
      table.values.push_back(*value);
    }
    table.lines.push_back(line_number);
  }
  TORCH_CHECK(!table.lines.empty(), path.string(), " holds no row of numbers");
  TORCH_CHECK(table.n_columns >= 2, path.string(),
              " has one column, but a feature and a target are needed: is '",
              std::string(1, separator), "' the separator?");
  return table;
}

int64_t target_column(const Table& table, const std::string& target,
                      const std::filesystem::path& path) {
  if (target.empty()) {
    return table.n_columns - 1;
  }
  const auto named = std::find(table.header.begin(), table.header.end(), target);
  if (named != table.header.end()) {
    return named - table.header.begin();
  }
  const std::optional<double> index = number(target);
  TORCH_CHECK(index.has_value(), path.string(), " has no column '", target, "'",
              table.header.empty() ? " (it has no header: give the column's number)"
                                   : suggestion(target, table.header));
  TORCH_CHECK(*index == std::floor(*index) && *index >= 0 && *index < table.n_columns,
              path.string(), " has the columns 0 … ", table.n_columns - 1,
              ", but the target is column ", target);
  return static_cast<int64_t>(*index);
}

int64_t count_classes(const Table& table, int64_t target, const std::filesystem::path& path) {
  double highest = 0;
  for (size_t row = 0; row < table.lines.size(); ++row) {
    const double value = table.values[row * table.n_columns + target];
    TORCH_CHECK(value == std::floor(value) && value >= 0 && value < kMostClasses, path.string(),
                ", line ", table.lines[row], ", ", table.column(target),
                ": expected a class, a whole number from 0, but got ", value,
                "; for numbers to predict, give --set data.csv.task=regression");
    highest = std::max(highest, value);
  }
  return static_cast<int64_t>(highest) + 1;
}

}  // namespace

std::vector<CsvLine> read_csv_lines(const std::filesystem::path& path, char separator) {
  const std::string text = read_decompressed(path);
  std::vector<CsvLine> lines;
  int64_t line_number = 0;
  for (size_t start = text.rfind(kByteOrderMark, 0) == 0 ? kByteOrderMark.size() : 0;
       start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(std::string_view(text).substr(start, end - start));
    start = end + 1;
    ++line_number;
    if (line.empty()) {
      continue;
    }
    lines.push_back({line_number, split_line(line, separator)});
    TORCH_CHECK(lines.back().fields.size() == lines.front().fields.size(), path.string(), ", line ",
                line_number, ": expected ", lines.front().fields.size(),
                " columns as in the first line, but there are ", lines.back().fields.size());
  }
  return lines;
}

Dataset read_csv_file(const std::filesystem::path& path, const CsvOptions& options) {
  TORCH_CHECK(options.separator.size() == 1, "a CSV separator is one character, but is '",
              options.separator, "'");
  const Table table = read_table(path, options.separator[0]);
  const int64_t target = target_column(table, options.target, path);
  const bool classes = options.task == CsvTask::Classes;
  const int64_t n_classes = classes ? count_classes(table, target, path) : 0;
  const at::Tensor values = at::tensor(table.values, at::kDouble).view({-1, table.n_columns});
  const at::Tensor columns = at::arange(table.n_columns);
  return {.name = "csv",
          .inputs = values.index_select(1, columns.masked_select(columns != target)).to(at::kFloat),
          .targets = values.select(1, target).to(classes ? at::kLong : at::kFloat),
          .n_classes = n_classes};
}

DataSplits read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  if (std::filesystem::is_directory(path)) {
    DataSplits splits = {.train = read_csv_file(find_file(path, "train.csv"), options),
                         .test = read_csv_file(find_file(path, "test.csv"), options)};
    TORCH_CHECK(splits.train.sample_shape() == splits.test.sample_shape(), path.string(),
                ": train.csv has ", splits.train.inputs.size(1), " features, test.csv ",
                splits.test.inputs.size(1));
    const int64_t n_classes = std::max(splits.train.n_classes, splits.test.n_classes);
    splits.train.n_classes = n_classes;
    splits.test.n_classes = n_classes;
    return splits;
  }
  TORCH_CHECK(options.test_fraction > 0 && options.test_fraction < 1,
              "test_fraction must be above 0 and below 1, but is ", options.test_fraction);
  const Dataset all = read_csv_file(path, options);
  const auto [test, train] = split_of(all, 1 - options.test_fraction, options.split_seed);
  TORCH_CHECK(!train.empty() && !test.empty(), path.string(), " has ", all.size(),
              " rows: too few to set a fraction of ", options.test_fraction, " apart for the test");
  return {.train = all.subset(train), .test = all.subset(test)};
}

}  // namespace retia
