#include "retia/tests/models/nasbench201_table.h"

namespace retia {
namespace {

/// By the operation on the first edge, so that they may run side by side.
class NasBench201Listing : public testing::TestWithParam<int64_t> {};

TEST_P(NasBench201Listing, ListsWhatEveryNetworkCosts) {
  const NasBench201Table table(nasbench201_file());
  if (table.empty()) {
    GTEST_SKIP() << nasbench201_file() << " is absent";
  }
  const Task& task = kNasBench201Tasks.at("cifar10");
  const ir::Graph space = nasbench201({}, task);
  for (int64_t number = GetParam(); number < 15'625; number += 5) {
    const Architecture architecture = nasbench201_architecture(number);
    const std::string key = nasbench201_key(architecture);
    EXPECT_EQ(cost_as_listed(space, architecture, task.n_outputs), table.at("cifar10", key)) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(FirstOperation, NasBench201Listing, testing::Range<int64_t>(0, 5));

}  // namespace
}  // namespace retia
