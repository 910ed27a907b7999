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
  Evaluation evaluate(const Trial&) override { return {}; }
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

  static Trial trial(int64_t id) {
    return {.proposal = {.id = id, .architecture = {{"width", {{id % 3}}}}}};
  }
  std::vector<Trial> stored() const {
    std::vector<Trial> all;
    store.each([&](const Trial& record) { all.push_back(record); });
    return all;
  }
  static std::vector<int64_t> ids(const std::vector<Trial>& trials) {
    std::vector<int64_t> found;
    for (const Trial& trial : trials) {
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

TEST_F(DispatchTest, StartsTheTrialsOfAJobAndStoresThem) {
  EXPECT_THAT(dispatch.start({.trials = {trial(0), trial(1)}}), testing::IsEmpty());
  EXPECT_THAT(runner.sizes, ElementsAre(2));
  for (const Trial& one : stored()) {
    EXPECT_EQ(one.evaluation.status, TrialStatus::Running);
    EXPECT_EQ(one.job, 0);
    EXPECT_EQ(one.seed, 7);
  }
  const std::vector<Trial> ended = dispatch.receive(0);
  EXPECT_THAT(ids(ended), UnorderedElementsAre(0, 1));
  EXPECT_FALSE(ended.at(0).model) << "nobody reads it any more";
  EXPECT_THAT(stored().at(1).evaluation.objectives, ElementsAre(1));
  EXPECT_GE(stored().at(1).ended, stored().at(1).began);
}

TEST_F(DispatchTest, EndsATrialWithoutAModelAtOnce) {
  const std::vector<Trial> ended =
      dispatch.start({.trials = {{.proposal = {.id = 0}}, trial(1), {.proposal = {.id = 2}}}});
  EXPECT_THAT(runner.began, ElementsAre(1));
  EXPECT_THAT(ids(ended), ElementsAre(0, 2));
  EXPECT_EQ(ended.at(0).evaluation.status, TrialStatus::Invalid);
  EXPECT_EQ(ended.at(0).job, -1);
  EXPECT_EQ(stored().at(0).evaluation.error, ended.at(0).evaluation.error);
  EXPECT_EQ(stored().at(1).job, 1);
}

TEST_F(DispatchTest, LeavesAStoppedTrialRunningInTheStore) {
  dispatch.start({.trials = {trial(9)}});
  EXPECT_THAT(dispatch.receive(0), testing::IsEmpty());
  EXPECT_TRUE(dispatch.was_stopped());
  EXPECT_EQ(stored().at(0).evaluation.status, TrialStatus::Running);
}

TEST_F(DispatchTest, ReturnsWhatEndedWhileItStops) {
  dispatch.start({.trials = {trial(0)}});
  EXPECT_THAT(dispatch.stop(), testing::IsEmpty());
  EXPECT_THAT(runner.ended, testing::IsEmpty());
  EXPECT_EQ(stored().at(0).evaluation.status, TrialStatus::Running);
}

}  // namespace
}  // namespace retia
