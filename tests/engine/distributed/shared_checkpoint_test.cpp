#include "retia/engine/distributed/shared_checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>

#include "retia/tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

TEST(SharedCheckpoint, IsThatOfTheFirstRankOnEveryRank) {
  const Checkpoint of_first = {
      .state = {{"step", 3}},
      .tensors = {{"count", at::arange(2, at::kLong)},
                  {"nothing", at::empty({0, 4})},
                  {"weight", at::arange(6, at::kDouble).view({2, 3}).t()}}};
  EXPECT_THAT(in_ranks(3,
                       [&](Ranks& ranks) {
                         const Checkpoint found =
                             broadcast(ranks, ranks.is_first() ? of_first : Checkpoint());
                         EXPECT_EQ(found.state, of_first.state);
                         ASSERT_EQ(found.tensors.size(), of_first.tensors.size());
                         for (const auto& [name, tensor] : of_first.tensors) {
                           EXPECT_TRUE(found.tensors.at(name).equal(tensor)) << name;
                           EXPECT_EQ(found.tensors.at(name).scalar_type(), tensor.scalar_type());
                         }
                       }),
              testing::Each(testing::IsEmpty()));
}

}  // namespace
}  // namespace retia
