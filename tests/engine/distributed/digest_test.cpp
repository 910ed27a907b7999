#include "retia/engine/distributed/digest.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include "retia/tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::map<std::string, at::Tensor> tensors() {
  return {{"bias", at::full({2}, 0.5)}, {"weight", at::arange(6, at::kDouble).view({2, 3})}};
}

TEST(Digest, AgreesOnEqualTensorsAndStates) {
  EXPECT_THAT(in_ranks(3,
                       [](Ranks& ranks) {
                         check_agreement(ranks, tensors(), {{"step", 7}}, "after step 7");
                       }),
              Each(IsEmpty()));
}

TEST(Digest, NamesTheRankAndTheTensorThatDiffersInOneBit) {
  EXPECT_THAT(in_ranks(3,
                       [](Ranks& ranks) {
                         auto mine = tensors();
                         if (ranks.rank() == 2) {
                           mine["weight"][1][1] += 1e-15;
                         }
                         check_agreement(ranks, mine, {{"step", 7}}, "after step 7");
                       }),
              Each(AllOf(HasSubstr("after step 7 rank 2 differs from rank 0 in weight:"),
                         Not(HasSubstr("bias")))));
}

TEST(Digest, NamesEntriesOfTheState) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         check_agreement(ranks, tensors(), {{"step", ranks.rank()}}, "at the end");
                       }),
              Each(HasSubstr("rank 1 differs from rank 0 in state/step")));
}

TEST(Digest, RefusesOtherNames) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         auto mine = tensors();
                         if (!ranks.is_first()) {
                           mine["more"] = at::full({1}, 1.0);
                         }
                         check_agreement(ranks, mine, Json::object(), "at the end");
                       }),
              Each(HasSubstr("rank 1 holds other tensors than rank 0")));
}

TEST(SameStart, NamesTheRankAndTheFirstFactThatDiffers) {
  const auto start = [](Ranks& ranks) {
    const bool is_odd = ranks.rank() == 2;
    check_same_start(ranks, {{"data", {{"digest", is_odd ? "b" : "a"}, {"n", 3}}},
                             {"options", {{"seed", is_odd ? 2 : 1}}}});
  };
  EXPECT_THAT(in_ranks(3, start),
              Each(HasSubstr("rank 2 differs from rank 0: data.digest is \"a\" on rank 0 and "
                             "\"b\" on rank 2: start")));
}

TEST(SameStart, PassesWhereAllFactsAreEqual) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         check_same_start(ranks, {{"options", {{"seed", 1}}}});
                       }),
              Each(IsEmpty()));
}

}  // namespace
}  // namespace retia
