#pragma once

#include <functional>
#include <unordered_map>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/evaluators/stated_objectives.h"

namespace retia {

/// The options of looking up scores in a table.
struct TableOptions {
  std::string file = "";     ///< CSV with a header, gzipped or not
  std::string key = "arch";  ///< column with the names of architectures
  std::string metric = "";   ///< column of the first objective
  /// Direction of `metric`; unstated: maximise, or refused where it is named like a loss.
  StatedDirection direction = StatedDirection::Unstated;
  std::vector<std::string> minimised = {};  ///< columns that are minimised, as further objectives
  std::vector<StatedObjective> objectives = {};  ///< columns, instead of `metric` and `minimised`
  std::string report = "";  ///< column that becomes the metric "report"; empty: none
};
inline std::vector<Option> declared(TableOptions& o) {
  return {
      option("file", o.file, "CSV with a header, gzipped or not"),
      option("key", o.key, "column with the names of architectures"),
      option("metric", o.metric, "column of the first objective"),
      option("direction", o.direction, "which values of it are better; unstated: larger ones"),
      option("minimised", o.minimised, "columns that are minimised, as further objectives"),
      option("objectives", o.objectives, "columns with their directions, instead of these"),
      option("report", o.report, "column that becomes the metric report; empty: none"),
  };
}

/// Throws where the objectives are not stated as they must be (see stated_objectives).
void check_together(const TableOptions& options);

/// Looks up an architecture's scores in a table of finished trainings, such as NAS-Bench-201's, by
/// the name that its space gives it. An architecture without a row, or with an empty field, fails.
/// Builds no models.
class TableEvaluator final : public Evaluator {
 public:
  /// Reads the table. `key`: returns the name of a canonical architecture. Throws one line, naming
  /// the nearest column, where something is missing.
  TableEvaluator(const TableOptions& options, std::function<std::string(const Architecture&)> key);

  std::vector<Objective> objectives() const override { return objectives_; }
  bool reads_model() const override { return false; }
  Evaluation evaluate(const Trial& trial) override;
  Json to_json() const override;

 private:
  TableOptions options_;
  std::function<std::string(const Architecture&)> key_;
  std::vector<Objective> objectives_;
  std::vector<std::string> columns_;                           // objectives, report
  std::unordered_map<std::string, std::vector<double>> rows_;  // NaN: an empty field
};

}  // namespace retia
