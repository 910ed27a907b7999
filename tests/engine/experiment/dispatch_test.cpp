#include "retia/engine/experiment/dispatch.h"

#include <gmock/gmock.h>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/engine/experiment/shuffled_runner.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

/// Evaluates nothing in this process.
class Unasked final : public Evaluator {
 public:
  Evaluation evaluate(const ir::Graph&, const Trial&) override { return {}; }
  Json to_json() const override { return {{"name", "elsewhere"}, {"options", {{"seed", 7}}}}; }
};

ir::Graph three_widths() {
  Builder b("three_widths");
  b.output("y", b.add("layer", ops::linear({.out = ValueChoice<int64_t>("width", {1, 2, 3})}),
                      {b.input("x", {4})}));
  return b.finish();
}

Evaluation scored(const Proposal& proposal) {
  return proposal.id == 9 ? Evaluation{.status = TrialStatus::Stopped}
                          : Evaluation{.objectives = {static_cast<double>(proposal.id)}};
}

class DispatchTest : public testing::Test {
 protected:
  DispatchTest()
      : store(store_path(folder.path()), space.mutables(), "widths", evaluator.objectives()),
        runner(scored, 2, 1),
        dispatch(space, evaluator, store, runner) {}

  static TrialRecord trial(int64_t id) {
    return {.proposal = {.id = id, .architecture = {{"width", {{id % 3}}}}}};
  }
  std::vector<TrialRecord> stored() const {
    std::vector<TrialRecord> all;
    store.each([&](const TrialRecord& record) { all.push_back(record); });
    return all;
  }
  static std::vector<int64_t> ids(const std::vector<TrialRecord>& trials) {
    std::vector<int64_t> found;
    for (const TrialRecord& trial : trials) {
      found.push_back(trial.proposal.id);
    }
    return found;
  }

  TemporaryFolder folder;
  ir::Space space = three_widths();
  Unasked evaluator;
  TrialStore store;
  ShuffledRunner runner;
  Dispatch dispatch;
};

TEST_F(DispatchTest, StartsTrialsAsOneJobAndStoresThem) {
  dispatch.start({trial(0), trial(1)});
  EXPECT_THAT(runner.sizes, ElementsAre(2));
  EXPECT_FALSE(dispatch.is_full());
  EXPECT_FALSE(dispatch.is_idle());
  for (const TrialRecord& record : stored()) {
    EXPECT_EQ(record.status, TrialStatus::Running);
    EXPECT_EQ(record.job, 0);
    EXPECT_EQ(record.seed, 7);
  }
  EXPECT_THAT(ids(dispatch.receive(0)), UnorderedElementsAre(0, 1));
  EXPECT_TRUE(dispatch.is_idle());
  EXPECT_THAT(stored().at(1).objectives, ElementsAre(1));
}

TEST_F(DispatchTest, LetsJobsWaitForABusyRunner) {
  for (int64_t id = 0; id < 3; ++id) {
    dispatch.start({trial(id)});
  }
  EXPECT_TRUE(dispatch.is_full());
  EXPECT_THAT(runner.began, ElementsAre(0, 1));
  std::vector<int64_t> ended;
  while (!dispatch.is_idle()) {
    for (const int64_t id : ids(dispatch.receive(0))) {
      ended.push_back(id);
    }
  }
  EXPECT_THAT(ended, UnorderedElementsAre(0, 1, 2));
}

TEST_F(DispatchTest, EndsATrialWithoutAModelAtOnce) {
  dispatch.start({{.proposal = {.id = 0}}, trial(1)});
  EXPECT_THAT(runner.began, ElementsAre(1));
  const std::vector<TrialRecord> ended = dispatch.receive(0);
  EXPECT_THAT(ids(ended), ElementsAre(0));
  EXPECT_EQ(ended.at(0).status, TrialStatus::Invalid);
  EXPECT_EQ(ended.at(0).job, -1);
  EXPECT_EQ(stored().at(0).error, ended.at(0).error);
}

TEST_F(DispatchTest, LeavesAStoppedTrialRunningInTheStore) {
  dispatch.start({trial(9)});
  EXPECT_THAT(dispatch.receive(0), testing::IsEmpty());
  EXPECT_TRUE(dispatch.was_stopped());
  EXPECT_EQ(stored().at(0).status, TrialStatus::Running);
}

TEST_F(DispatchTest, DropsWaitingJobsWhenItStops) {
  for (int64_t id = 0; id < 3; ++id) {
    dispatch.start({trial(id)});
  }
  EXPECT_THAT(dispatch.stop(), testing::IsEmpty());
  EXPECT_EQ(stored().size(), 2u) << "the third has not begun";
}

}  // namespace
}  // namespace retia
