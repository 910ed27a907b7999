#include "retia/engine/distributed/ranks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>

#include "retia/engine/base/clock.h"
#include "retia/engine/distributed/digest.h"
#include "retia/engine/distributed/shared_checkpoint.h"
#include "retia/tests/engine/distributed/in_ranks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Ranks, AloneIsItsOwnFirst) {
  Ranks alone({}, 1);
  EXPECT_EQ(alone.several(), nullptr);
  EXPECT_TRUE(alone.is_first());
  EXPECT_EQ(alone.broadcast("text"), "text");
  EXPECT_TRUE(alone.any(true));
  EXPECT_FALSE(alone.any(false));
  EXPECT_EQ(alone.gather(at::zeros({2})).sizes(), at::IntArrayRef({1, 2}));
}

TEST(Ranks, SumGatherAndBroadcast) {
  EXPECT_THAT(
      in_ranks(3,
               [](Ranks& ranks) {
                 const at::Tensor mine = at::full({5}, ranks.rank() + 1, at::kDouble);
                 EXPECT_TRUE(ranks.gather(mine).select(1, 0).equal(at::arange(1, 4, at::kDouble)));
                 ranks.sum(mine);
                 EXPECT_TRUE(mine.equal(at::full({5}, 6, at::kDouble)));
                 EXPECT_EQ(ranks.broadcast(ranks.is_first() ? "first" : "another"), "first");
                 EXPECT_EQ(ranks.broadcast(std::string()), "");
                 EXPECT_TRUE(ranks.any(ranks.rank() == 2));
                 EXPECT_FALSE(ranks.any(false));
               }),
      Each(""));
}

TEST(Ranks, OutliveASocketThatOthersHaveClosed) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         ::raise(SIGPIPE);
                         EXPECT_TRUE(ranks.any(ranks.is_first()));
                       }),
              Each(""));
}

TEST(Ranks, CountWhatTheyCallEachOtherFor) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         const at::Tensor five = at::zeros({5}, at::kDouble);
                         ranks.start_sum(five, CallFor::Gradients)();
                         ranks.sum_statistics(five);
                         ranks.sum_statistics(five);
                         ranks.any(false);
                         const auto [gradients, statistics, agreement] = ranks.traffic();
                         EXPECT_EQ(gradients.calls, 1);
                         EXPECT_EQ(gradients.bytes, 40);
                         EXPECT_EQ(statistics.calls, 2);
                         EXPECT_EQ(statistics.bytes, 80);
                         EXPECT_EQ(agreement.calls, 1);
                         EXPECT_EQ(agreement.bytes, 8);
                         EXPECT_GT(agreement.seconds, 0);
                       }),
              Each(""));
}

TEST(Ranks, ShareTheFirstOnesCheckpoint) {
  EXPECT_THAT(
      in_ranks(
          2,
          [](Ranks& ranks) {
            Checkpoint mine;
            if (ranks.is_first()) {
              mine = {.state = {{"epoch", 3}},
                      .tensors = {{"a", at::arange(6, at::kFloat).view({2, 3}).t()},
                                  {"b", at::full({}, 7, at::kLong)},
                                  {"none", at::zeros({0})}}};
            }
            const Checkpoint shared = broadcast(ranks, mine);
            EXPECT_EQ(shared.state.at("epoch"), 3);
            EXPECT_EQ(shared.tensors.size(), 3);
            EXPECT_TRUE(shared.tensors.at("a").equal(at::arange(6, at::kFloat).view({2, 3}).t()));
            EXPECT_EQ(shared.tensors.at("b").item<int64_t>(), 7);
          }),
      Each(""));
}

TEST(Ranks, NameWhoDoesNotCome) {
  const int64_t port = free_port();
  EXPECT_THAT(error_of([&] { Ranks ranks(local_launch(0, 2, port), 0.5); }),
              HasSubstr("rank 1 of 2 did not come within 0.5 s"));
  EXPECT_THAT(
      error_of([&] { Ranks ranks(local_launch(1, 2, port), 0.5); }),
      AllOf(HasSubstr("rank 1 of 2 cannot reach rank 0 at 127.0.0.1:"), HasSubstr("MASTER_PORT")));
}

TEST(Ranks, NameTheAddressAtWhichAStrangerListens) {
  const int stranger = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(stranger, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(stranger, 8), 0);  // connections are taken, and nothing is ever said
  ASSERT_EQ(::getsockname(stranger, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int64_t port = ntohs(address.sin_port);
  EXPECT_THAT(error_of([&] { Ranks ranks(local_launch(1, 2, port), 0.2); }),
              HasSubstr("cannot reach rank 0 at 127.0.0.1:" + std::to_string(port)));
  EXPECT_THAT(error_of([&] { Ranks ranks(local_launch(0, 2, port), 0.2); }),
              HasSubstr("rank 0 cannot listen at port"));
  ::close(stranger);
}

TEST(Ranks, StopTogetherWhereOneEndsWithAnError) {
  const std::vector<std::string> errors = in_ranks(3, [](Ranks& ranks) {
    ranks.sum(at::zeros({1}));
    TORCH_CHECK(ranks.rank() != 1, "the disk is full");
    EXPECT_THAT(error_of([&] { ranks.sum(at::zeros({1})); }), HasSubstr("rank 1 of 3"));
    ranks.sum(at::zeros({1}));
  });
  EXPECT_THAT(errors, ElementsAre(HasSubstr("rank 1 of 3 ended with an error"), "the disk is full",
                                  HasSubstr("rank 1 of 3 ended with an error")));
}

TEST(Ranks, NameWhoLagsBehindWithinTheTimeout) {
  constexpr double kTimeout = 2;
  const double started = now();
  const std::vector<std::string> errors = in_ranks(
      2,
      [&](Ranks& ranks) {
        ranks.sum(at::zeros({1}));
        if (ranks.rank() == 1) {
          std::this_thread::sleep_for(std::chrono::duration<double>(3 * kTimeout));
          return;
        }
        const double waiting = now();
        EXPECT_THAT(error_of([&] { ranks.sum(at::zeros({1})); }),
                    AllOf(HasSubstr("rank 1 of 2 does not come to where the others wait"),
                          HasSubstr("continue with --resume")));
        EXPECT_LT(now() - waiting, 2.5 * kTimeout);
      },
      kTimeout);
  EXPECT_LT(now() - started, 5 * kTimeout);
}

TEST(CheckAgreement, PassesWhereAllIsEqualToTheBit) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         check_agreement(ranks, {{"a", at::arange(4)}, {"b", at::zeros({2, 2})}},
                                         Json{{"lr", 1}}, "now");
                       }),
              Each(""));
}

TEST(CheckAgreement, NamesRanksAndTensorsThatDiffer) {
  const auto errors = in_ranks(3, [](Ranks& ranks) {
    const at::Tensor b = at::full({4}, 1.0, at::kFloat);
    if (ranks.rank() == 2) {
      b[3] = std::nextafter(1.0F, 2.0F);
    }
    check_agreement(ranks, {{"a", at::arange(4)}, {"b", b}}, Json{{"lr", 1}}, "after step 7");
  });
  EXPECT_THAT(errors, Each(HasSubstr("after step 7 rank 2 differs from rank 0 in b: ")));
  const auto states = in_ranks(2, [](Ranks& ranks) {
    check_agreement(ranks, {}, Json{{"epoch", 2}, {"lr", ranks.rank()}}, "after step 8");
  });
  EXPECT_THAT(states, Each(HasSubstr("after step 8 rank 1 differs from rank 0 in state/lr: ")));
  const auto others = in_ranks(2, [](Ranks& ranks) {
    check_agreement(ranks, {{ranks.is_first() ? "a" : "b", at::zeros({1})}}, Json::object(),
                    "after step 9");
  });
  EXPECT_THAT(others, Each(HasSubstr("after step 9 rank 1 holds other tensors than rank 0")));
}

}  // namespace
}  // namespace retia
