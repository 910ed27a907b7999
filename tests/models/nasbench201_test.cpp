#include "retia/models/nasbench201.h"

#include <set>

#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/nasbench201_table.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

constexpr int64_t kArchitectures = 15'625;

const NasBench201Options kSmallNasBench201{.channels = 4, .cells = 1};

TEST(NasBench201, SharesSixEdgesOfFiveOperations) {
  const std::vector<Mutable> choices = ir::mutables(nasbench201({}, kCifar));
  std::vector<std::string> labels;
  int64_t architectures = 1;
  for (const Mutable& choice : choices) {
    labels.push_back(choice.label);
    architectures *= choice.n_candidates();
    EXPECT_EQ(choice.names, (std::vector<std::string>{"none", "skip_connect", "nor_conv_1x1",
                                                      "nor_conv_3x3", "avg_pool_3x3"}));
    EXPECT_EQ(choice.zeros, std::vector<int64_t>{0});
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"cell/0-1", "cell/0-2", "cell/1-2", "cell/0-3",
                                              "cell/1-3", "cell/2-3"}));
  EXPECT_EQ(architectures, kArchitectures);
}

TEST(NasBench201, WritesTheBenchmarksKey) {
  const Architecture architecture = {{"cell/0-1", {{4}}}, {"cell/0-2", {{2}}}, {"cell/1-2", {{1}}},
                                     {"cell/0-3", {{3}}}, {"cell/1-3", {{0}}}, {"cell/2-3", {{1}}}};
  EXPECT_EQ(nasbench201_key(architecture),
            "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+"
            "|nor_conv_3x3~0|none~1|skip_connect~2|");
  Architecture damaged = architecture;
  damaged["cell/1-3"].chosen = {5};
  EXPECT_THAT(error_of([&] { nasbench201_key(damaged); }), testing::HasSubstr("'cell/1-3'"));
  EXPECT_THAT(error_of([] { nasbench201_key({}); }), testing::HasSubstr("'cell/0-1'"));
}

TEST(NasBench201, ListsEveryArchitectureOnceAndCostsWhatTheTableSays) {
  const NasBench201Table table(nasbench201_file());
  if (table.empty()) {
    GTEST_SKIP() << nasbench201_file() << " is absent";
  }
  ASSERT_EQ(table.size(), static_cast<size_t>(kArchitectures));
  std::set<std::string> keys;
  for (int64_t number = 0; number < kArchitectures; ++number) {
    keys.insert(nasbench201_key(nasbench201_architecture(number)));
  }
  EXPECT_EQ(keys.size(), static_cast<size_t>(kArchitectures));
  for (const std::string& key : keys) {
    table.at("cifar10", key);
  }
  constexpr int64_t kStep = 31;  // shares no factor with 5: meets each operation of each edge
  for (const auto& [data_set, task] : kNasBench201Tasks) {
    const ir::Graph space = nasbench201({}, task);
    const int64_t step = data_set == "cifar10" ? kStep : 7 * kStep;
    for (int64_t number = 0; number < kArchitectures; number += step) {
      const Architecture architecture = nasbench201_architecture(number);
      const std::string key = nasbench201_key(architecture);
      EXPECT_EQ(cost_as_listed(space, architecture, task.n_outputs), table.at(data_set, key))
          << data_set << ' ' << key;
    }
  }
}

TEST(NasBench201, CostsWhatIsCountedByHand) {
  // Stem 1 -> 4 by 3 x 3 on 8 x 8; per stage one cell of six pointwise convolutions; two residual
  // blocks; normalisation and head of 16 channels.
  const ir::Graph space = nasbench201(kSmallNasBench201, kDigits);
  const Architecture architecture = uniform_architecture(ir::mutables(space), 2);
  const ir::Cost cost = ir::total_cost(ir::freeze(space, architecture));
  const int64_t stem = 36, cells[] = {6 * 16, 6 * 64, 6 * 256};
  const int64_t reduce1 = 4 * 8 * 9 + 8 * 8 * 9 + 4 * 8, reduce2 = 4 * reduce1;
  EXPECT_EQ(cost.multiply_adds.value(),
            64 * (stem + cells[0]) + 16 * (reduce1 + cells[1]) + 4 * (reduce2 + cells[2]) + 160);
  const int64_t norms = 2 * 4 + 6 * 2 * (4 + 8 + 16) + 2 * 2 * (8 + 16) + 2 * 16;
  EXPECT_EQ(cost.parameters.value(),
            stem + cells[0] + cells[1] + cells[2] + reduce1 + reduce2 + norms + 160 + 10);
  const ir::Graph plain = nasbench201({.channels = 4, .cells = 1, .affine = false}, kDigits);
  EXPECT_EQ(ir::total_cost(ir::freeze(plain, architecture)).parameters.value(),
            cost.parameters.value() - 6 * 2 * (4 + 8 + 16));
}

TEST(NasBench201, ReadsBackEqualFromJson) { expect_reads_back_equal(nasbench201({}, kCifar)); }

TEST(NasBench201, RunsEveryCandidate) {
  expect_every_candidate_runs(nasbench201(kSmallNasBench201, kDigits), {1, 8, 8}, 10);
  expect_every_candidate_runs(nasbench201(kSmallNasBench201, {{2, 12, 4}, 3}), {2, 12, 4}, 3);
}

TEST(NasBench201, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(nasbench201(kSmallNasBench201, kDigits), {1, 8, 8});
}

TEST(NasBench201, RefusesSizesThatItCannotHalveTwice) {
  EXPECT_EQ(error_of([] {
              nasbench201({}, {{3, 28, 30}, 10});
            }),
            "space 'nasbench201': height and width must be multiples of 4, got 28 x 30");
  EXPECT_THAT(error_of([] { nasbench201({.cells = 0}, kCifar); }),
              testing::HasSubstr("cells must be at least 1, got 0"));
  EXPECT_THAT(error_of([] { nasbench201({}, {{64}, 10}); }), testing::HasSubstr("[64]"));
}

}  // namespace
}  // namespace retia
