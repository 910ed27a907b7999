#include "retia/trainers/evaluators/regression.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "retia/engine/space/freeze.h"
#include "retia/models/mlp.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/trainers/evaluators/trials.h"
#include "retia/trainers/evaluators.h"

namespace retia {
namespace {

ir::Graph model() {
  const ir::Graph space = mlp({.layers = 1}, {{2}, 1});
  return ir::freeze(space, ir::completed(space, {}));
}

class RegressionEvaluatorTest : public testing::Test {
 protected:
  // y = 100 + 10 a - 20 b, on a grid of 20 × 20.
  RegressionEvaluatorTest() {
    std::string text = "a,b,y\n";
    for (int a = 0; a < 20; ++a) {
      for (int b = 0; b < 20; ++b) {
        text += std::to_string(a) + "," + std::to_string(b) + "," +
                std::to_string(100 + 10 * a - 20 * b) + "\n";
      }
    }
    write_plainly(folder / "plane.csv", text);
    options.data.name = "csv";
    options.data.dir = folder / "plane.csv";
    options.data.csv.task = CsvTask::Regression;
    options.epochs = 40;
    options.batch_size = 16;
  }
  TemporaryFolder folder;
  RegressionOptions options;
};

// Errors -1, 0, 4; the targets have the variance 14/9.
TEST(RegressionScore, IsAsByHand) {
  const RegressionScore score =
      score_regression(at::tensor({0.0, 2.0, 8.0}), at::tensor({1.0, 2.0, 4.0}));
  EXPECT_DOUBLE_EQ(score.mse, 17.0 / 3);
  EXPECT_DOUBLE_EQ(score.mae, 5.0 / 3);
  EXPECT_NEAR(score.r2, 1 - (17.0 / 3) / (14.0 / 9), 1e-12);
  EXPECT_EQ(score_regression(at::tensor({1.0, 3.0}), at::tensor({2.0, 2.0})).r2, 0);
}

TEST_F(RegressionEvaluatorTest, LearnsAPlaneInTheUnitOfTheTargets) {
  RegressionEvaluator evaluator(options, standard_data_sets());
  const Evaluation found = evaluator.evaluate(trial_of(model()));
  EXPECT_EQ(found.status, TrialStatus::Succeeded);
  EXPECT_GT(found.metrics.at("r2"), 0.98);
  // The variance is 500 · (20² - 1) / 12 = 16,625.
  EXPECT_NEAR(found.metrics.at("r2"), 1 - found.metrics.at("mse") / 16625, 0.01);
  EXPECT_LT(found.metrics.at("mae"), std::sqrt(found.metrics.at("mse")));
  EXPECT_EQ(found.objectives.front(), found.metrics.at("mse"));
  EXPECT_EQ(found.metrics.at("parameters"), 2 * 16 + 16 + 16 + 1);
}

TEST_F(RegressionEvaluatorTest, MinimisesErrorsAndMaximisesR2) {
  const auto objective = [&](RegressionMetric metric) {
    options.metric = metric;
    return RegressionEvaluator(options, standard_data_sets()).objectives().front();
  };
  EXPECT_EQ(objective(RegressionMetric::Mse).direction, Direction::Minimise);
  EXPECT_EQ(objective(RegressionMetric::Mae).name, "mae");
  EXPECT_EQ(objective(RegressionMetric::R2).direction, Direction::Maximise);
}

TEST_F(RegressionEvaluatorTest, GivesTheSameNumbersWhenRebuiltFromItsJson) {
  options.epochs = 2;
  RegressionEvaluator evaluator(options, standard_data_sets());
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), {});
  EXPECT_EQ(rebuilt->evaluate(trial_of(model())).metrics,
            evaluator.evaluate(trial_of(model())).metrics);
}

TEST_F(RegressionEvaluatorTest, TellsTheErrorAfterEachEpochAndEndsAboveTheFloor) {
  options.epochs = 4;
  const Evaluation silent =
      RegressionEvaluator(options, standard_data_sets()).evaluate(trial_of(model()));
  options.intermediate = true;
  RegressionEvaluator evaluator(options, standard_data_sets());
  const Evaluation told = evaluator.evaluate(trial_of(model()));
  EXPECT_TRUE(silent.intermediate.empty());
  EXPECT_EQ(told.metrics, silent.metrics);
  ASSERT_EQ(told.intermediate.size(), 4u);
  EXPECT_EQ(told.intermediate.back(), told.objectives.front());
  const double reached =
      *std::min_element(told.intermediate.begin(), told.intermediate.begin() + 2);
  EXPECT_EQ(evaluator.evaluate(trial_of(model(), with_floors({1e9, reached}))).intermediate.size(),
            4u);
  const Evaluation ended =
      evaluator.evaluate(trial_of(model(), with_floors({1e9, reached - 1e-6})));
  EXPECT_EQ(ended.intermediate.size(), 2u);
  EXPECT_EQ(ended.objectives, std::vector<double>{told.intermediate[1]});
  EXPECT_EQ(ended.metrics.at("mse"), told.intermediate[1]);
  EXPECT_EQ(ended.metrics.at("epochs"), 2);
}

TEST_F(RegressionEvaluatorTest, RefusesClassesAndModelsOfSeveralOutputs) {
  RegressionEvaluator evaluator(options, standard_data_sets());
  const ir::Graph space = mlp({.layers = 1}, {{2}, 3});
  EXPECT_EQ(
      error_of([&] { evaluator.evaluate(trial_of(ir::freeze(space, ir::completed(space, {})))); }),
      "the model's output has shape [3], expected [1], the prediction");
  options.data = {};
  EXPECT_THAT(error_of([&] { RegressionEvaluator(options, standard_data_sets()); }),
              testing::HasSubstr("the data set 'digits' holds classes"));
}

}  // namespace
}  // namespace retia
