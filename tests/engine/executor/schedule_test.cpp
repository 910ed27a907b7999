#include "retia/engine/executor/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/executor/fake_instruction.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The names of the instructions of a schedule; after a slash the entry that an entry stands in for.
std::vector<std::string> names(const Schedule& schedule, const Program& program) {
  std::vector<std::string> all;
  for (const Schedule::Entry& entry : schedule.entries()) {
    const std::string title = title_of(*entry.instruction, program);
    all.push_back(entry.stands_in_for ? c10::str(title, "/", *entry.stands_in_for) : title);
  }
  return all;
}

TEST(Schedule, LeavesOutWhatNobodyNeeds) {
  const Program program = fake_program(
      4, {fake("a", {1, {0}, {1}}), fake("b", {2, {1}, {2}}), fake("c", {3, {1}, {3}})});
  const Schedule schedule(program);
  EXPECT_THAT(names(schedule, program), ElementsAre("a", "c"));
  EXPECT_THAT(schedule.live(), ElementsAre(true, true, false, true));
}

TEST(Schedule, DropsAValueAfterItsLastReaderAndKeepsOutputs) {
  Program program = fake_program(
      4, {fake("a", {1, {0}, {1}}), fake("b", {2, {0, 1}, {2}}), fake("c", {3, {1}, {3}})});
  program.outputs = {2, 3};
  const Schedule schedule(program);
  EXPECT_THAT(schedule.entries()[0].drop, IsEmpty());
  EXPECT_THAT(schedule.entries()[1].drop, ElementsAre(0));
  EXPECT_THAT(schedule.entries()[2].drop, ElementsAre(1));
  program.outputs = {1, 2, 3};
  EXPECT_THAT(Schedule(program).entries()[2].drop, IsEmpty());
}

/// v0 → a → v1, v0 → b → v2, v1 + v2 → c → v3; one instruction at the place of a replaces a and b.
struct Siblings {
  Siblings() {
    const auto a = fake("a", {1, {0}, {1}}), b = fake("b", {2, {0}, {2}});
    both = fake("both", {1, {0}, {1, 2}, {a, b}});
    program = fake_program(4, {both, fake("c", {3, {1, 2}, {3}})});
  }
  std::shared_ptr<const FakeInstruction> both;
  Program program;
};

TEST(Schedule, LetsReplacedInstructionsStandInAtTheirOwnPlaces) {
  Siblings net;
  const Schedule schedule(net.program);
  EXPECT_THAT(names(schedule, net.program), ElementsAre("both", "a/0", "b/0", "c"));
  EXPECT_THAT(schedule.entries()[0].drop_if_run, ElementsAre(0))
      << "only replaced instructions read the input again";
  EXPECT_THAT(schedule.entries()[2].drop, ElementsAre(0));
  net.both->state()->applies = false;
  const Schedule apart(net.program);
  EXPECT_THAT(names(apart, net.program), ElementsAre("a", "b", "c"));
  EXPECT_THAT(apart.entries()[0].drop_if_run, IsEmpty()) << "b reads the input in any case";
}

TEST(Schedule, HoldsAValueThatOthersReadThan) {
  Siblings net;
  net.program.instructions.back() = fake("c", {3, {0, 1, 2}, {3}});
  const Schedule schedule(net.program);
  EXPECT_THAT(schedule.entries()[0].drop_if_run, IsEmpty());
  EXPECT_THAT(schedule.entries()[3].drop, ElementsAre(0, 1, 2));
}

TEST(Schedule, MovesReplacedInstructionsToALaterPlaceOfTheirs) {
  const auto a = fake("a", {1, {0}, {1}}), c = fake("c", {3, {1}, {3}});
  const Program program = fake_program(
      5,
      {fake("b", {2, {0}, {2}}), fake("ac", {3, {0}, {3}, {a, c}}), fake("d", {4, {2, 3}, {4}})});
  EXPECT_THAT(names(Schedule(program), program), ElementsAre("b", "ac", "a/1", "c/1", "d"));
}

TEST(Schedule, RunsReplacedInstructionsWhereSomebodyNeedsMoreThanTheFusedOneWrites) {
  const auto a = fake("a", {1, {0}, {1}}), b = fake("b", {2, {1}, {2}});
  const auto rest = fake("rest", {3, {2}, {3}, {fake("own", {3, {1, 2}, {3}})}});
  const Program program = fake_program(4, {fake("ab", {2, {0}, {2}, {a, b}}), rest});
  EXPECT_THAT(names(Schedule(program), program), ElementsAre("a", "b", "rest", "own/2"));
  rest->state()->may_refuse = false;
  EXPECT_THAT(names(Schedule(program), program), ElementsAre("ab", "a/0", "b/0", "rest"));
  rest->state()->applies = false;
  EXPECT_THAT(names(Schedule(program), program), ElementsAre("a", "b", "own"));
}

}  // namespace
}  // namespace retia::executor
