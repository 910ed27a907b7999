#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "retia/engine/cost/profile.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/nasbench201.h"
#include "retia/trainers/data/compressed_file.h"

namespace retia {

/// What the benchmark's table says of one cell, trained on one data set.
struct ListedCost {
  int64_t multiply_adds = 0;
  int64_t parameters = 0;
  friend bool operator==(const ListedCost&, const ListedCost&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const ListedCost& cost) {
  return out << cost.multiply_adds << " multiply-adds, " << cost.parameters << " parameters";
}

/// NAS-Bench-201's data sets by the names of the table's columns.
inline const std::map<std::string, Task> kNasBench201Tasks = {
    {"cifar10", {.input = {3, 32, 32}, .n_outputs = 10}},
    {"cifar100", {.input = {3, 32, 32}, .n_outputs = 100}},
    {"imagenet16", {.input = {3, 16, 16}, .n_outputs = 120}}};

/// The table of all cells: data set -> key -> costs. Empty where the file is absent.
class NasBench201Table {
 public:
  explicit NasBench201Table(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) {
      return;
    }
    std::istringstream lines(read_decompressed(file));
    const std::vector<std::string> header = fields_of(lines);
    for (std::vector<std::string> row = fields_of(lines); row.size() > 1; row = fields_of(lines)) {
      std::map<std::string, std::string> cells;
      for (size_t i = 0; i < header.size(); ++i) {
        cells[header[i]] = row.at(i);
      }
      for (const auto& [data_set, task] : kNasBench201Tasks) {
        listed_[data_set][cells.at("arch")] = {millions(cells.at(data_set + "_macs_m")),
                                               millions(cells.at(data_set + "_params_m"))};
      }
    }
  }

  bool empty() const { return listed_.empty(); }
  size_t size() const { return listed_.at("cifar10").size(); }
  const ListedCost& at(const std::string& data_set, const std::string& key) const {
    return listed_.at(data_set).at(key);
  }

 private:
  static std::vector<std::string> fields_of(std::istream& lines) {
    std::string line, field;
    std::getline(lines, line);
    std::vector<std::string> fields;
    std::istringstream rest(line);
    while (std::getline(rest, field, ',')) {
      fields.push_back(field);
    }
    return fields;
  }
  static int64_t millions(const std::string& text) { return std::llround(std::stod(text) * 1e6); }

  std::map<std::string, std::map<std::string, ListedCost>> listed_;
};

inline std::filesystem::path nasbench201_file() {
  return std::filesystem::path(RETIA_SOURCE_DIR) / "../shared/data/nasbench201/nasbench201.csv.gz";
}

/// Architecture `number` of 0 to 15,624, its digits to base 5 being the operations of the edges.
inline Architecture nasbench201_architecture(int64_t number) {
  Architecture architecture;
  for (const std::string edge : {"0-1", "0-2", "1-2", "0-3", "1-3", "2-3"}) {
    architecture["cell/" + edge].chosen = {number % 5};
    number /= 5;
  }
  return architecture;
}

/// The cost of the frozen network, counted as the table does: with the classifier's bias among the
/// multiply-adds.
inline ListedCost cost_as_listed(const ir::Graph& space, const Architecture& architecture,
                                 int64_t n_outputs) {
  const ir::Cost cost = ir::total_cost(ir::freeze(space, architecture));
  return {cost.multiply_adds.value() + n_outputs, cost.parameters.value()};
}

}  // namespace retia
