#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/io/options.h"
#include "engine/suggest.h"
#include "trainers/data/data_sets.h"

namespace retia {

/// Name -> what makes an evaluator. Extended by `add`.
class EvaluatorTable {
 public:
  /// `maker(options)`; Options reads from JSON.
  template <class Options>
  void add(const std::string& name,
           std::function<std::unique_ptr<Evaluator>(const Options&)> maker) {
    TORCH_CHECK(!entries_.count(name), "evaluator '", name, "' is in the table already");
    entries_[name] = {
        Json(Options{}), [name, maker](const Json& options) {
          return maker(options_from_json<Options>(options, "evaluator '" + name + "'"));
        }};
  }

  /// Throws, naming the nearest, on an unknown name or option.
  std::unique_ptr<Evaluator> make(const std::string& name, const Json& options) const;

  /// The one that Evaluator::to_json described.
  std::unique_ptr<Evaluator> from_json(const Json& json) const;

  /// The options of an evaluator with their defaults.
  const Json& defaults(const std::string& name) const;

  std::vector<std::string> names() const;

 private:
  struct Entry {
    Json defaults;
    std::function<std::unique_ptr<Evaluator>(const Json&)> make;
  };
  const Entry& entry(const std::string& name) const;

  std::map<std::string, Entry> entries_;
};

/// classification. Data comes from `data_sets`; models run on `device` in `dtype`.
EvaluatorTable standard_evaluators(const DataSets& data_sets, at::Device device = at::kCPU,
                                   at::ScalarType dtype = at::kFloat);

}  // namespace retia
