#include "retia/trainers/evaluators/table.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "retia/engine/base/suggest.h"
#include "retia/trainers/data/compressed_file.h"
#include "retia/trainers/data/csv.h"

namespace retia {
namespace {

constexpr double kEmpty = std::numeric_limits<double>::quiet_NaN();

size_t column(const std::string& name, const std::vector<std::string>& header,
              const std::string& file) {
  const auto found = std::find(header.begin(), header.end(), name);
  TORCH_CHECK(found != header.end(), file, " has no column '", name, "'", suggestion(name, header));
  return static_cast<size_t>(found - header.begin());
}

double number(const std::string& field, const std::string& where) {
  if (field.empty()) {
    return kEmpty;
  }
  double value = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  TORCH_CHECK(error == std::errc() && stop == end, where, ": expected a number, but got '", field,
              "'");
  return value;
}

std::vector<Objective> objectives_of(const TableOptions& options) {
  std::vector<Objective> all =
      stated_objectives(options.metric, options.direction, options.objectives, "");
  TORCH_CHECK(options.objectives.empty() || options.minimised.empty(),
              "evaluator.objectives names all objectives: remove evaluator.minimised");
  for (const std::string& name : options.minimised) {
    all.push_back({name, Direction::Minimise});
  }
  return all;
}

}  // namespace

void check_together(const TableOptions& options) { objectives_of(options); }

TableEvaluator::TableEvaluator(const TableOptions& options,
                               std::function<std::string(const Architecture&)> key)
    : options_(options), key_(std::move(key)), objectives_(objectives_of(options)) {
  TORCH_CHECK(!options.file.empty() && !objectives_.front().name.empty(),
              "evaluator 'table' needs a CSV file and the column to optimise: --set "
              "evaluator.file=FILE --set evaluator.metric=COLUMN");
  TORCH_CHECK(key_ != nullptr,
              "evaluator 'table': the space makes no key of an architecture: give it one by "
              "SpaceTable::add_key");
  for (const Objective& objective : objectives_) {
    columns_.push_back(objective.name);
  }
  if (!options.report.empty()) {
    columns_.push_back(options.report);
  }
  const std::vector<CsvLine> lines = read_csv_lines(options.file, ',');
  TORCH_CHECK(!lines.empty(), options.file, " is empty: expected a header and rows");
  const std::vector<std::string>& header = lines.front().fields;
  const size_t key_column = column(options.key, header, options.file);
  std::vector<size_t> places;
  for (const std::string& name : columns_) {
    places.push_back(column(name, header, options.file));
  }
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    std::vector<double> values;
    for (const size_t place : places) {
      values.push_back(number(line->fields[place], c10::str(options.file, ", line ", line->number,
                                                            ", column '", header[place], "'")));
    }
    TORCH_CHECK(rows_.emplace(line->fields[key_column], std::move(values)).second, options.file,
                ", line ", line->number, ": there is a row for '", line->fields[key_column],
                "' already");
  }
}

Evaluation TableEvaluator::evaluate(const Trial& trial) {
  const std::string key = key_(trial.proposal.architecture);
  const auto row = rows_.find(key);
  TORCH_CHECK(row != rows_.end(), options_.file, " has no row for '", key, "'");
  for (size_t i = 0; i < columns_.size(); ++i) {
    TORCH_CHECK(!std::isnan(row->second[i]), options_.file, " has no ", columns_[i], " for '", key,
                "'");
  }
  Evaluation evaluation;
  const auto n_objectives = static_cast<int64_t>(objectives_.size());
  evaluation.objectives = {row->second.begin(), row->second.begin() + n_objectives};
  if (!options_.report.empty()) {
    evaluation.metrics["report"] = row->second.back();
  }
  return evaluation;
}

Json TableEvaluator::to_json() const { return {{"name", "table"}, {"options", options_}}; }

}  // namespace retia
