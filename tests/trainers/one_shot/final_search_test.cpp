#include "retia/trainers/one_shot/final_search.h"

#include <gmock/gmock.h>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;

ir::Graph widths() {
  Builder b("widths");
  b.output("y", b.add("layer", ops::linear({.out = ValueChoice<int64_t>("width", {1, 2, 3, 4})}),
                      {b.input("x", {4})}));
  return b.finish();
}

Architecture width(int64_t index) { return {{"width", {{index}}}}; }

/// Proposes every width, and keeps what it is told.
class InOrder final : public Strategy {
 public:
  explicit InOrder(std::vector<Outcome>& told) : told_(told) {}
  Answer ask() override {
    if (next_ == 4) {
      return Exhausted{};
    }
    const int64_t id = next_++;
    return Proposal{.id = id, .architecture = width(id)};
  }
  void tell(const Proposal&, const Outcome& outcome) override { told_.push_back(outcome); }
  Json state() const override { return next_; }
  void load_state(const Json& state) override { next_ = state; }

 private:
  std::vector<Outcome>& told_;
  int64_t next_ = 0;
};

/// Costs to be minimised, one per trial; none: the trial fails.
class Costs final : public Evaluator {
 public:
  explicit Costs(std::vector<std::optional<double>> costs) : costs_(std::move(costs)) {}
  std::vector<Objective> objectives() const override { return {{"cost", Direction::Minimise}}; }
  Evaluation evaluate(const Trial& trial) override {
    const std::optional<double> cost = costs_.at(static_cast<size_t>(trial.proposal.id));
    TORCH_CHECK(cost.has_value(), "out of memory");
    return {.objectives = {*cost}};
  }
  Json to_json() const override { return {{"name", "costs"}, {"options", Json::object()}}; }

 private:
  std::vector<std::optional<double>> costs_;
};

Architecture best(std::vector<std::optional<double>> costs, std::vector<Outcome>& told,
                  int64_t max_trials = 4) {
  return best_of({.strategy = std::make_unique<InOrder>(told),
                  .evaluator = std::make_unique<Costs>(std::move(costs)),
                  .max_trials = max_trials},
                 widths());
}

TEST(FinalSearch, FindsTheEarliestOfTheBestInTheDirectionOfItsObjective) {
  std::vector<Outcome> told;
  EXPECT_EQ(best({3, 1, 2, 1}, told), width(1));
  ASSERT_EQ(told.size(), 3u) << "nothing is proposed after the last";
  EXPECT_THAT(told[0].objectives, ElementsAre(-3)) << "larger is better";
}

TEST(FinalSearch, GoesOnAfterATrialThatFails) {
  std::vector<Outcome> told;
  EXPECT_EQ(best({std::nullopt, 3, 2, std::nullopt}, told), width(2));
  EXPECT_EQ(told.at(0).status, TrialStatus::Failed);
}

TEST(FinalSearch, EndsAfterItsTrials) {
  std::vector<Outcome> told;
  EXPECT_EQ(best({3, 2, 1, 0}, told, 2), width(1));
  EXPECT_EQ(told.size(), 1u);
}

TEST(FinalSearch, SaysWhyNothingCouldBeScored) {
  std::vector<Outcome> told;
  EXPECT_EQ(error_of([&] { best(std::vector<std::optional<double>>(4), told); }),
            "no architecture could be scored: out of memory");
}

}  // namespace
}  // namespace retia
