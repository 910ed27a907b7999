#include "retia/engine/distributed/pulse.h"

#include <gtest/gtest.h>

#include <torch/csrc/distributed/c10d/HashStore.hpp>

namespace retia {
namespace {

constexpr double kSeconds = 0.05;  // between beats

c10::intrusive_ptr<c10d::Store> store() { return c10::make_intrusive<c10d::HashStore>(); }

TEST(Pulse, NamesARankWhoseHeartbeatStopped) {
  Pulse pulse(store(), 1, 2, kSeconds, "rank 0");
  EXPECT_EQ(pulse.diagnosis("timeout"),
            "rank 0 of 2 does not answer any more: killed, hung or cut off");
}

TEST(Pulse, NamesARankThatMadeFewerCalls) {
  const auto shared = store();
  const Pulse behind(shared, 0, 2, kSeconds, "rank 0");
  Pulse pulse(shared, 1, 2, kSeconds, "rank 0");
  pulse.count_call();
  EXPECT_EQ(pulse.diagnosis("timeout"), "rank 0 of 2 does not come to where the others wait");
}

TEST(Pulse, SaysWhatHappenedWhereAllRanksAreAlive) {
  const auto shared = store();
  const Pulse other(shared, 0, 2, kSeconds, "rank 0");
  Pulse pulse(shared, 1, 2, kSeconds, "rank 0");
  EXPECT_EQ(pulse.diagnosis("timeout"), "the ranks lost each other: timeout");
}

TEST(Pulse, RepeatsTheReasonThatWasToldFirst) {
  const auto shared = store();
  Pulse first(shared, 1, 3, kSeconds, "rank 0"), second(shared, 2, 3, kSeconds, "rank 0");
  first.tell("no memory");
  second.tell("no disk");
  EXPECT_EQ(second.diagnosis("timeout"), "no memory");
}

TEST(Pulse, TellsTheReasonBeforeItLeaves) {
  const auto shared = store();
  Pulse first(shared, 0, 2, kSeconds, "rank 0"), second(shared, 1, 2, kSeconds, "rank 0");
  std::string read;
  first.tell("no disk", [&] { read = second.diagnosis("connection closed"); });
  EXPECT_EQ(read, "no disk");
}

}  // namespace
}  // namespace retia
