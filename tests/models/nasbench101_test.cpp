#include "retia/models/nasbench101.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "retia/engine/cost/profile.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/models/ops/nasbench101_cell.h"
#include "retia/strategies/grid.h"
#include "retia/strategies/random.h"
#include "retia/strategies/spos_evolution.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"
#include "retia/tests/models/nasbench101_cells.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const NasBench101Options kSmallNasBench101{.channels = 8, .cells = 1};

const std::vector<std::string> kOps = {"conv1x1", "conv3x3", "maxpool3x3"};

NasBench101Cell cell_of(const std::string& edges, int64_t n_vertices) {
  NasBench101Cell cell{std::vector<std::string>(static_cast<size_t>(n_vertices - 2), "conv1x1"),
                       {}};
  for (int64_t j = 1; j < n_vertices; ++j) {
    cell.edges.emplace_back();
    for (int64_t i = 0; i < j; ++i) {
      cell.edges.back().push_back(edges.find(c10::str(i, j)) != std::string::npos);
    }
  }
  return cell;
}

TEST(NasBench101, DividesTheChannelsOfTheOutput) {
  const auto channels = [](const std::string& edges, int64_t n) {
    return channels_of(cell_of(edges, n), 16, 128);
  };
  EXPECT_THAT(channels("01", 2), ElementsAre(16, 128));
  EXPECT_THAT(channels("01 12 23", 4), ElementsAre(16, 128, 128, 128));
  // Three feed the output: 128 = 43 + 43 + 42; vertex 1 is read by 2 and 3 and takes the larger.
  EXPECT_THAT(channels("01 12 13 04 25 35 45", 6), ElementsAre(16, 43, 43, 43, 42, 128));
  EXPECT_THAT(channels("01 13 02 04 14 24 35 45 06 56", 7),
              ElementsAre(16, 128, 128, 128, 128, 128, 128));
  EXPECT_THAT(channels("01 02 12 24 03 34 14", 5), ElementsAre(16, 43, 43, 42, 128));
}

TEST(NasBench101, PrunesVerticesThatAreOnNoPath) {
  // 2 is not fed, 3 feeds nothing; 1 and 4 remain and become 1 and 2.
  const NasBench101Cell cell = pruned(cell_of("01 13 24 14 45", 6));
  EXPECT_EQ(cell, cell_of("01 12 23", 4));
  EXPECT_EQ(cell.n_edges(), 3);
  EXPECT_THAT(error_of([] { pruned(cell_of("01 23", 4)); }),
              HasSubstr("no path leads from the cell's input to its output"));
}

TEST(NasBench101, GivesArchitecturesOfOnePrunedCellOneForm) {
  const ir::Graph space = nasbench101(kSmallNasBench101, kDigits);
  const Architecture form =
      ir::canonical(space, nasbench101_architecture("01 12 26", {1, 2, 0, 0, 0}));
  EXPECT_EQ(form, nasbench101_architecture("01 12 26", {1, 2, 0, 0, 0}));
  for (const Architecture& same : {nasbench101_architecture("01 12 26", {1, 2, 2, 1, 1}),
                                   nasbench101_architecture("02 25 56", {0, 1, 0, 0, 2}),
                                   nasbench101_architecture("01 14 46 03 23", {1, 1, 1, 2, 0})}) {
    EXPECT_EQ(ir::canonical(space, same), form) << same.to_string();
    EXPECT_EQ(ir::canonical(space, same).hash(), form.hash());
    EXPECT_TRUE(ir::freeze(space, same) == ir::freeze(space, form));
  }
  EXPECT_NE(ir::canonical(space, nasbench101_architecture("01 12 26", {2, 1, 0, 0, 0})), form);
  EXPECT_NE(ir::canonical(space, nasbench101_architecture("01 12 26 06", {1, 2, 0, 0, 0})), form);
  Random random(5);
  for (int i = 0; i < 50; ++i) {
    const Architecture any = random_architecture(ir::mutables(space), random);
    if (error_of([&] { ir::freeze(space, any); }) == "(no error)") {
      const Architecture once = ir::canonical(space, any);
      EXPECT_EQ(ir::canonical(space, once), once);
      EXPECT_TRUE(ir::freeze(space, once) == ir::freeze(space, any));
    }
  }
}

TEST(NasBench101, RefusesTooManyEdgesAndNoPath) {
  const ir::Graph space = nasbench101(kSmallNasBench101, kDigits);
  EXPECT_THAT(error_of([&] {
                ir::freeze(space, nasbench101_architecture("01 02 03 04 05 16 26 36 46 56",
                                                           {0, 0, 0, 0, 0}));
              }),
              HasSubstr("has 10 edges on paths from its input to its output, and may have 9"));
  EXPECT_THAT(error_of([&] {
                ir::freeze(space, nasbench101_architecture("01 23", {0, 0, 0, 0, 0}));
              }),
              HasSubstr("node 'stack0/cell0': no path leads"));
  const Architecture no_path = nasbench101_architecture("01 23", {0, 0, 0, 0, 0});
  EXPECT_FALSE(ir::Space(space).find_canonical(no_path));
  EXPECT_FALSE(ir::Space(space).find_model(no_path));
  EXPECT_TRUE(ir::Space(space).find_model(nasbench101_architecture("06", {0, 0, 0, 0, 0})));
  // Edges that are pruned do not count.
  ir::freeze(space, nasbench101_architecture("06 01 02 03 04 05 12 13 14 15 23", {0, 0, 0, 0, 0}));
}

/// Scores a model by its parameters.
class Parameters final : public Evaluator {
 public:
  Evaluation evaluate(const Trial& trial) override {
    return {.objectives = {static_cast<double>(ir::total_cost(*trial.model).parameters.value())}};
  }
  Json to_json() const override { return {{"name", "parameters"}, {"options", Json::object()}}; }
};

std::map<TrialStatus, int64_t> statuses_of(const ir::Graph& space, Strategy& strategy,
                                           int64_t max_trials) {
  const TemporaryFolder folder;
  Parameters evaluator;
  ExperimentObserver observer;
  Experiment experiment(space, "nasbench101", evaluator, strategy, folder.path());
  experiment.run({.max_trials = max_trials}, observer);
  std::map<TrialStatus, int64_t> counts;
  for (const Trial& record : experiment.trials()) {
    ++counts[record.evaluation.status];
    if (record.evaluation.status == TrialStatus::Invalid) {
      EXPECT_THAT(record.evaluation.error, HasSubstr("node 'stack0/cell0'"));
      EXPECT_EQ(record.evaluation.error.find('\n'), std::string::npos);
    }
  }
  return counts;
}

// Of three vertices there are 7 cells: the edge alone, or one of three operations with it or
// without. No path have 3 of the 8 sets of edges, with 3 operations each.
TEST(NasBench101, IsSearchedByTrialsOfWhichInvalidOnesStopNobody) {
  const ir::Graph three = nasbench101({.channels = 8, .cells = 1, .vertices = 3}, kDigits);
  GridStrategy grid(three);
  const std::map<TrialStatus, int64_t> counts = statuses_of(three, grid, 0);
  EXPECT_EQ(counts, (std::map<TrialStatus, int64_t>{{TrialStatus::Succeeded, 7},
                                                    {TrialStatus::Invalid, 9}}));
  const ir::Graph seven = nasbench101(kSmallNasBench101, kDigits);
  RandomStrategy random(seven, {}, 1);
  std::map<TrialStatus, int64_t> drawn = statuses_of(seven, random, 30);
  EXPECT_EQ(drawn[TrialStatus::Succeeded] + drawn[TrialStatus::Invalid], 30);
  EXPECT_GT(drawn[TrialStatus::Succeeded], 0);
  EXPECT_GT(drawn[TrialStatus::Invalid], 0);
  SposEvolutionStrategy evolution(seven, {.population = 10, .parents = 3, .rounds = 3}, 1);
  drawn = statuses_of(seven, evolution, 30);
  EXPECT_EQ(drawn[TrialStatus::Succeeded] + drawn[TrialStatus::Invalid], 30);
  EXPECT_EQ(drawn.count(TrialStatus::Failed), 0);
}

TEST(NasBench101, IsNoSupernet) {
  EXPECT_THAT(error_of([] { Network supernet(nasbench101(kSmallNasBench101, kDigits), 1); }),
              HasSubstr("no supernet can share its weights: explore such a space by trials"));
}

TEST(NasBench101, ReadsBackEqualFromJson) {
  const ir::Graph space = nasbench101({}, kCifar);
  EXPECT_EQ(ir::mutables(space).size(), 26);
  expect_reads_back_equal(space);
  expect_reads_back_equal(
      ir::freeze(space, nasbench101_architecture("01 12 26 06", {1, 2, 0, 0, 0})));
}

TEST(NasBench101, RunsWhatItFreezes) {
  const ir::Graph space = nasbench101(kSmallNasBench101, kDigits);
  for (const char* edges : {"06", "01 16", "01 06 16", "01 12 13 04 06 26 36 46",
                            "01 12 23 34 45 56", "01 02 16 26 12"}) {
    const ir::Graph model = ir::freeze(space, nasbench101_architecture(edges, {0, 1, 2, 1, 0}));
    Network network(model, 1);
    const at::Tensor logits = network->forward(at::zeros({2, 1, 8, 8}));
    EXPECT_EQ(logits.sizes(), at::IntArrayRef({2, 10})) << edges;
    EXPECT_EQ(count_parameters(*network), ir::total_cost(model).parameters.value()) << edges;
  }
}

/// Tells cells that differ in the order of their vertices only by the same text.
std::string isomorphism_class(const NasBench101Cell& cell) {
  const size_t n = cell.edges.size() + 1;
  std::vector<size_t> order(n - 2);  // position -> vertex
  std::iota(order.begin(), order.end(), 1);
  std::string least;
  do {
    std::vector<size_t> vertices = {0};
    vertices.insert(vertices.end(), order.begin(), order.end());
    vertices.push_back(n - 1);
    std::string text;
    for (size_t j = 1; j < n; ++j) {
      text += j < n - 1 ? cell.ops[vertices[j] - 1] : "";
      for (size_t i = 0; i < n; ++i) {
        const size_t from = vertices[i], to = vertices[j];
        text += from < to && cell.edges[to - 1][from] ? '1' : '0';
      }
    }
    least = least.empty() || text < least ? text : least;
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

// Ying et al. count 423,624 different cells of at most 7 vertices and 9 edges; of at most 4 and of
// 5 vertices their data set has 91 and 2,441.
TEST(NasBench101, HasAsManyDifferentCellsAsTheBenchmarkCounts) {
  std::map<size_t, std::set<std::string>> found;  // number of vertices -> classes
  constexpr int64_t kVertices = 5, kEdges = 10, kCodes = 27;
  for (int64_t bits = 0; bits < (1 << kEdges); ++bits) {
    NasBench101Cell cell{std::vector<std::string>(3), {}};
    int64_t rest = bits;
    for (size_t j = 1; j < kVertices; ++j) {
      cell.edges.emplace_back();
      for (size_t i = 0; i < j; ++i, rest /= 2) {
        cell.edges.back().push_back(rest % 2 == 1);
      }
    }
    if (error_of([&] { pruned(cell); }) != "(no error)") {
      continue;
    }
    for (int64_t code = 0; code < kCodes; ++code) {
      cell.ops = {kOps[static_cast<size_t>(code % 3)], kOps[static_cast<size_t>(code / 3 % 3)],
                  kOps[static_cast<size_t>(code / 9)]};
      const NasBench101Cell kept = pruned(cell);
      if (kept.n_edges() <= 9) {
        found[kept.edges.size() + 1].insert(isomorphism_class(kept));
      }
    }
  }
  EXPECT_EQ(found[2].size(), 1);
  EXPECT_EQ(found[3].size(), 6);
  EXPECT_EQ(found[4].size(), 84);
  EXPECT_EQ(found[5].size(), 2441);
}

TEST(NasBench101, CostsWhatIsCountedByHand) {
  // A 3 x 3 convolution of the projected input, pooled, and the input projected once more.
  const ir::Graph model = ir::freeze(nasbench101(kSmallNasBench101, kDigits),
                                     nasbench101_architecture("01 12 26 06", {1, 2, 0, 0, 0}));
  int64_t multiply_adds = 64 * 9 * 8 + 32 * 10, parameters = 9 * 8 + 2 * 8 + 32 * 10 + 10;
  for (const auto& [in, out, pixels] :
       std::vector<std::array<int64_t, 3>>{{8, 8, 64}, {8, 16, 16}, {16, 32, 4}}) {
    multiply_adds += pixels * (2 * in * out + 9 * out * out);
    parameters += 2 * in * out + 9 * out * out + 3 * 2 * out;
  }
  const ir::Cost cost = ir::total_cost(model);
  EXPECT_EQ(cost.multiply_adds.value(), multiply_adds);
  EXPECT_EQ(cost.parameters.value(), parameters);
}

TEST(NasBench101, RefusesSizesThatItCannotHalveTwice) {
  EXPECT_EQ(error_of([] {
              nasbench101({}, {{3, 28, 30}, 10});
            }),
            "space 'nasbench101': height and width must be multiples of 4, got 28 x 30");
  EXPECT_THAT(error_of([] { nasbench101({.vertices = 1}, kCifar); }),
              HasSubstr("vertices must be at least 2, got 1"));
}

TEST(NasBench101Cell, RefusesOptionsThatDescribeNoCell) {
  const auto error = [](NasBench101CellOptions options) {
    return error_of([&] { ops::nasbench101_cell(options); });
  };
  EXPECT_THAT(error({.edges = {{true, false}}}), HasSubstr("vertex 1 needs 1 edges, got 2"));
  EXPECT_THAT(error({.ops = {"conv1x1"}, .edges = {{true}}}),
              HasSubstr("expected edges of each operation's vertex and of the output"));
  EXPECT_THAT(error({.ops = {"conv5x5"}, .edges = {{true}, {false, true}}}),
              HasSubstr("unknown operation \"conv5x5\""));
}

}  // namespace
}  // namespace retia
