#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "retia/engine/cost/profile.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/nasbench101.h"
#include "retia/tests/models/nasbench101_cells.h"
#include "retia/trainers/data/compressed_file.h"

namespace retia {
namespace {

/// What a model costs, counted as the sample does: operations are multiply-adds, three for each
/// value that is normalised and rectified, and a pooling's kernel for each that it makes.
struct ListedCost {
  int64_t operations = 0;
  int64_t parameters = 0;
};

ListedCost cost_as_listed(const ir::Graph& model) {
  ListedCost sum;
  for (const ir::NodeCost& node : ir::profile(model)) {
    int64_t size = 1;
    for (const Dim& dim : node.output) {
      size *= dim.value();
    }
    const bool in_cell = node.name.find("vertex") != std::string::npos;
    const int64_t of_each = node.type == "batch_norm"   ? 2
                            : node.type == "relu"       ? 1
                            : node.type == "max_pool2d" ? (in_cell ? 3 * 3 : 2 * 2)
                                                        : 0;
    sum.operations += node.cost.multiply_adds.value() + of_each * size;
    sum.parameters += node.cost.parameters.value();
  }
  return sum;
}

TEST(NasBench101Sample, ListsWhatEveryNetworkCosts) {
  const std::filesystem::path file = std::filesystem::path(RETIA_SOURCE_DIR) /
                                     "../shared/data/nasbench-samples/nasbench101_sample500.csv.gz";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << file << " is absent";
  }
  const ir::Graph space = nasbench101({}, {.input = {3, 32, 32}, .n_outputs = 10});
  std::istringstream lines(read_decompressed(file));
  std::string line;
  std::getline(lines, line);
  int64_t n_cells = 0;
  while (std::getline(lines, line)) {
    std::vector<std::string> fields;
    std::istringstream rest(line);
    for (std::string field; std::getline(rest, field, ',');) {
      fields.push_back(field);
    }
    ASSERT_EQ(fields.size(), 5) << line;
    std::string edges;
    std::vector<int64_t> ops;
    for (int64_t j = 1; j < 7; ++j) {
      for (int64_t i = 0; i < j; ++i) {
        edges += fields[0][static_cast<size_t>(7 * i + j)] == '1' ? c10::str(i, j, ' ') : "";
      }
      const char code = fields[1][static_cast<size_t>(j)];  // 2 pooling, 3 and 4 convolutions
      ops.push_back(code == '2' ? 2 : code == '3' ? 0 : 1);
    }
    const ir::Graph model = ir::freeze(space, nasbench101_architecture(edges, ops));
    const ListedCost cost = cost_as_listed(model);
    EXPECT_EQ(cost.parameters, std::llround(std::stod(fields[4]) * 1e6)) << line;
    EXPECT_EQ(cost.operations, std::llround(std::stod(fields[3]) * 1e6)) << line;
    ++n_cells;
  }
  EXPECT_EQ(n_cells, 500);
}

}  // namespace
}  // namespace retia
