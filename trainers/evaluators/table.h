#pragma once

#include <functional>
#include <unordered_map>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/option.h"

namespace retia {

/// The options of looking up scores in a table.
struct TableOptions {
  std::string file = "";                    ///< CSV with a header, gzipped or not
  std::string key = "arch";                 ///< column with the names of architectures
  std::string metric = "";                  ///< column that is maximised
  std::vector<std::string> minimised = {};  ///< columns that are minimised, as further objectives
  std::string report = "";  ///< column that becomes the metric "report"; empty: none
};
inline std::vector<Option> declared(TableOptions& o) {
  return {
      option("file", o.file, "CSV with a header, gzipped or not"),
      option("key", o.key, "column with the names of architectures"),
      option("metric", o.metric, "column that is maximised"),
      option("minimised", o.minimised, "columns that are minimised, as further objectives"),
      option("report", o.report, "column that becomes the metric report; empty: none"),
  };
}

/// Looks up an architecture's scores in a table of finished trainings, such as NAS-Bench-201's, by
/// the name that its space gives it. An architecture without a row, or with an empty field, fails.
/// Builds no models.
class TableEvaluator final : public Evaluator {
 public:
  /// Reads the table. `key`: returns the name of a canonical architecture. Throws one line, naming
  /// the nearest column, where something is missing.
  TableEvaluator(const TableOptions& options, std::function<std::string(const Architecture&)> key);

  std::vector<Objective> objectives() const override;
  bool reads_model() const override { return false; }
  Evaluation evaluate(const Trial& trial) override;
  Json to_json() const override;

 private:
  TableOptions options_;
  std::function<std::string(const Architecture&)> key_;
  std::vector<std::string> columns_;                           // metric, minimised, report
  std::unordered_map<std::string, std::vector<double>> rows_;  // NaN: an empty field
};

}  // namespace retia
