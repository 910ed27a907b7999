#include "retia/engine/experiment/try_proposal.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "retia/engine/io/process.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ir::Graph two_widths() {
  Builder b("two_widths");
  b.output("y", b.add("layer", ops::linear({.out = ValueChoice<int64_t>("width", {1, 2})}),
                      {b.input("x", {4})}));
  return b.finish();
}

const Proposal kWide = {.id = 5, .architecture = {{"width", {{1}}}}};

/// Returns what it was made with.
class Fixed final : public Evaluator {
 public:
  explicit Fixed(Evaluation evaluation) : evaluation_(std::move(evaluation)) {}
  Evaluation evaluate(const Trial& trial) override {
    n_nodes.push_back(trial.model->nodes().size());
    return evaluation_;
  }
  Json to_json() const override { return {{"name", "fixed"}, {"options", Json::object()}}; }

  std::vector<size_t> n_nodes;

 private:
  Evaluation evaluation_;
};

TEST(TryProposal, EvaluatesTheFrozenModel) {
  Fixed evaluator({.objectives = {0.5}, .metrics = {{"loss", 2}}});
  const Trial trial = try_proposal(two_widths(), evaluator, kWide);
  EXPECT_THAT(evaluator.n_nodes, ElementsAre(2));
  EXPECT_EQ(trial.proposal, kWide);
  EXPECT_EQ(trial.evaluation.status, TrialStatus::Succeeded);
  EXPECT_THAT(trial.evaluation.objectives, ElementsAre(0.5));
  EXPECT_EQ(trial.evaluation.metrics.at("loss"), 2);
  EXPECT_EQ(trial.host, host_name());
  EXPECT_LE(trial.began, trial.ended);
}

TEST(TryProposal, RecordsAnArchitectureWithoutAModel) {
  Fixed evaluator({.objectives = {0.5}});
  const Trial trial = try_proposal(two_widths(), evaluator, {.id = 0});
  EXPECT_THAT(evaluator.n_nodes, testing::IsEmpty());
  EXPECT_EQ(trial.evaluation.status, TrialStatus::Invalid);
  EXPECT_THAT(trial.evaluation.error, HasSubstr("decides nothing for 'width'"));
}

TEST(TryProposal, RecordsNumbersThatAreNoResult) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const auto& [evaluation, error] : std::vector<std::pair<Evaluation, std::string>>{
           {{.objectives = {kInfinity}}, "the objective 'score' became inf"},
           {{.objectives = {1, 2}}, "the evaluator gave 2 objectives, expected 1"},
           {{.objectives = {1}, .metrics = {{"loss", kInfinity}}}, "the metric 'loss' became inf"},
           {{.status = TrialStatus::Failed, .error = "lost"}, "lost"}}) {
    Fixed evaluator(evaluation);
    const Trial trial = try_proposal(two_widths(), evaluator, kWide);
    EXPECT_EQ(trial.evaluation.status, TrialStatus::Failed);
    EXPECT_EQ(trial.evaluation.error, error);
    EXPECT_THAT(trial.evaluation.objectives, testing::IsEmpty());
  }
}

TEST(TryProposal, KeepsThePlaceOfAnEpochThatHasNoNumber) {
  Fixed evaluator({.objectives = {3}, .intermediate = {std::nan(""), 2, HUGE_VAL, 3}});
  const Trial trial = try_proposal(two_widths(), evaluator, kWide);
  EXPECT_EQ(trial.evaluation.status, TrialStatus::Succeeded);
  EXPECT_THAT(trial.evaluation.intermediate, ElementsAre(testing::IsNan(), 2, testing::IsNan(), 3));
}

TEST(TryProposal, DoesNotBeginAfterAStop) {
  Fixed evaluator({.objectives = {0.5}});
  const Trial trial = try_proposal(two_widths(), evaluator, kWide, [] { return true; });
  EXPECT_EQ(trial.evaluation.status, TrialStatus::Stopped);
  EXPECT_THAT(evaluator.n_nodes, testing::IsEmpty());
}

}  // namespace
}  // namespace retia
