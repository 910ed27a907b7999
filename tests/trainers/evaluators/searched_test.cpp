#include "retia/trainers/evaluators/searched.h"

#include <gmock/gmock.h>

#include <set>

#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/files.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"
#include "retia/engine/space/search_space_json.h"
#include "retia/strategies/strategies.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"
#include "retia/tests/strategies/spaces.h"
#include "retia/tests/trainers/evaluators/trials.h"

namespace retia {
namespace {

using testing::HasSubstr;

struct QuadraticOptions {
  double x = 0, y = 0;
  bool flipped = false;
  std::string sense = "up";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(QuadraticOptions, x, y, flipped, sense)

/// -(x - 3)² - (y - 2 n)², n: how many linear layers the model has. How often it was made and asked
/// for several models at once is counted.
class QuadraticEvaluator final : public Evaluator {
 public:
  QuadraticEvaluator(const QuadraticOptions& options, std::vector<size_t>& asked)
      : options_(options), asked_(asked) {}
  std::vector<Objective> objectives() const override { return {{options_.sense}}; }
  Evaluation evaluate(const Trial& trial) override {
    double n = 0;
    for (const ir::Node& node : trial.model->nodes()) {
      const auto* operation = std::get_if<ir::Operation>(&node.body);
      n += operation != nullptr && operation->type() == "linear" ? 1 : 0;
    }
    const double x = options_.x - 3, y = options_.y - 2 * n;
    return {.objectives = {(options_.flipped ? 1 : -1) * (x * x + y * y)}};
  }
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override {
    asked_.push_back(trials.size());
    std::vector<Evaluation> evaluations;
    for (const Trial& trial : trials) {
      evaluations.push_back(evaluate(trial));
    }
    return evaluations;
  }
  Json to_json() const override { return {{"name", "quadratic"}, {"options", options_}}; }

 private:
  QuadraticOptions options_;
  std::vector<size_t>& asked_;
};

class SearchedEvaluatorTest : public testing::Test {
 protected:
  SearchedEvaluatorTest() {
    using Make =
        std::function<std::unique_ptr<Evaluator>(const QuadraticOptions&, const EvaluatorContext&)>;
    table.add<QuadraticOptions>(
        "quadratic", Make([this](const QuadraticOptions& options, const EvaluatorContext&) {
          ++n_made;
          return std::make_unique<QuadraticEvaluator>(options, asked);
        }));
  }
  std::unique_ptr<Evaluator> make(const Json& options) const {
    return evaluator_from_json(table, {{"name", "quadratic"}, {"options", options}}, {});
  }

  EvaluatorTable table{"evaluator"};
  int n_made = 0;
  std::vector<size_t> asked;  // sizes of groups
  const Json choices = {
      {"x", {{"choice", "x"}, {"options", {1, 2, 3, 4.5}}}},
      {"y", {{"op", "*"}, {"operands", {2, {{"choice", "half"}, {"options", {0, 1, 2}}}}}}}};
  const ir::Space space = ir::Space(two_by_two()).with(ir::settings_in(choices, "evaluator"));
};

// Two linear layers and y = 4, one and 2, or none and 0; and x = 3: four of the 48 are best.
TEST_F(SearchedEvaluatorTest, LetsEveryStrategyFindTheBestOfBoth) {
  for (const std::string& name : standard_strategies().names()) {
    const TemporaryFolder folder;
    const auto evaluator = make(choices);
    const auto strategy = standard_strategies().make(name, Json::object(), space, 1);
    ExperimentObserver observer;
    Experiment experiment(space, "both", *evaluator, *strategy, folder.path());
    experiment.run({.max_trials = 200}, observer);
    ASSERT_TRUE(experiment.best()) << name;
    EXPECT_EQ(experiment.best()->evaluation.objectives.front(), 0) << name;
    const Architecture& best = experiment.best()->proposal.architecture;
    EXPECT_EQ(best.at("x").chosen.front(), 2) << name;
    std::set<Architecture> tried;
    for (const Trial& trial : experiment.trials()) {
      tried.insert(trial.proposal.architecture);
    }
    EXPECT_EQ(tried.size(), 48u) << name;
    const Json written = read_json(folder / "architecture.json");
    EXPECT_EQ(written.at("choices").at("x"), 3);
    EXPECT_EQ(written.at("settings"), (Json{{"x", "evaluator.x"}, {"half", "evaluator.y"}}));
    // Who knows the models only reads the decisions of theirs.
    EXPECT_EQ(
        read_architecture(folder / "architecture.json", ir::Space(two_by_two()).mutables(), "both"),
        space.of_models(best));
    EXPECT_THAT(foreign_settings(folder / "architecture.json", ir::Space(two_by_two()).mutables()),
                testing::Contains("x 3 (evaluator.x)"));
  }
}

TEST_F(SearchedEvaluatorTest, IsRebuiltFromItsJsonAndMadeOnceForEachDecision) {
  const auto evaluator = make(choices);
  const auto rebuilt = evaluator_from_json(table, evaluator->to_json(), {});
  EXPECT_EQ(rebuilt->to_json(), evaluator->to_json());
  n_made = 0;
  for (int64_t x = 0; x < 4; ++x) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      const Trial trial{.proposal = {.architecture = {{"x", {{x}}}, {"half", {{1}}}}}};
      const ir::Graph model = space.model(space.completed({}));
      EXPECT_EQ(rebuilt->evaluate(trial_of(model, trial)).objectives,
                evaluator->evaluate(trial_of(model, trial)).objectives);
    }
  }
  EXPECT_EQ(n_made, 8);
}

TEST_F(SearchedEvaluatorTest, MergesTrialsOfEqualOptions) {
  const auto evaluator = make(choices);
  std::vector<Trial> trials;
  std::vector<std::vector<double>> expected;
  for (int64_t i = 0; i < 5; ++i) {
    Architecture architecture = space.completed({{"x", {{i % 2}}}, {"first", {{i / 2 % 2}}}});
    trials.push_back(
        trial_of(space.model(architecture), {.proposal = {.id = i, .architecture = architecture}}));
    expected.push_back(evaluator->evaluate(trials.back()).objectives);
  }
  const std::vector<Evaluation> merged = evaluator->evaluate_merged(trials).value();
  ASSERT_EQ(merged.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(merged[i].objectives, expected[i]);
  }
  EXPECT_THAT(asked, testing::UnorderedElementsAre(3, 2));
}

TEST_F(SearchedEvaluatorTest, TakesChoicesAmongTextsAndFlags) {
  const auto evaluator = make({{"flipped", {{"choice", "f"}, {"options", {false, true}}}}});
  const ir::Graph model = ir::freeze(two_by_two(), ir::completed(two_by_two(), {}));
  const auto score = [&](int64_t f) {
    const Trial trial{.proposal = {.architecture = {{"f", {{f}}}}}};
    return evaluator->evaluate(trial_of(model, trial)).objectives.front();
  };
  EXPECT_EQ(score(0), -25);
  EXPECT_EQ(score(1), 25);
}

TEST_F(SearchedEvaluatorTest, TellsTheSearchSpaceToTunersFromOutside) {
  const Json json = search_space_to_json(space.mutables());
  EXPECT_EQ(json.at("x"), (Json{{"_type", "choice"}, {"_value", {1, 2, 3, 4.5}}}));
  const Json answer = {{"first", "skip"},
                       {"second", "relu"},
                       {"half", {{"_value", 2}}},
                       {"x", {{"_value", 4.5}, {"_idx", 3}}}};
  const Architecture read = choices_from_json(answer, space.mutables());
  EXPECT_EQ(read.at("x").chosen, std::vector<int64_t>{3});
  EXPECT_EQ(choices_to_json(read, space.mutables()).at("x"), 4.5);
}

TEST_F(SearchedEvaluatorTest, RefusesWhatNoOptionTakes) {
  EXPECT_THAT(error_of([&] {
                make({{"x", {{"choice", "x"}, {"options", {1, "two"}}}}});
              }),
              HasSubstr("evaluator.x: expected a number (the default is 0.0), but got \"two\""));
  const Json epochs = {{"epochs", {{"choice", "epochs"}, {"options", {1, 0}}}}};
  EXPECT_EQ(error_of([&] {
              evaluator_from_json(standard_evaluators(),
                                  {{"name", "classification"}, {"options", epochs}}, {});
            }),
            "evaluator.epochs must be at least 1, got 0");
  const auto evaluator = make(choices);
  const ir::Graph model = ir::freeze(two_by_two(), ir::completed(two_by_two(), {}));
  EXPECT_THAT(error_of([&] { evaluator->evaluate(trial_of(model)); }), HasSubstr("x"));
  const auto changing = make({{"sense", {{"choice", "s"}, {"options", {"up", "down"}}}}});
  const Trial down{.proposal = {.architecture = {{"s", {{1}}}}}};
  EXPECT_EQ(error_of([&] { changing->evaluate(trial_of(model, down)); }),
            "evaluator 'quadratic': a choice in its options changes its objectives");
}

}  // namespace
}  // namespace retia
