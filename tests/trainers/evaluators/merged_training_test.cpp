#include "retia/trainers/evaluators/merged_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/trainers/evaluators/trials.h"
#include "retia/trainers/evaluators/classification.h"
#include "retia/trainers/evaluators/costed.h"
#include "retia/trainers/evaluators/regression.h"

namespace retia {
namespace {

std::vector<ir::Graph> models(const std::string& name, const Json& options, const Task& task,
                              size_t n) {
  const ir::Graph space = standard_spaces().search(name, options, task).graph();
  Random random(n);
  std::vector<ir::Graph> made;
  for (size_t i = 0; i < n; ++i) {
    made.push_back(
        ir::freeze(space, ir::canonical(space, random_architecture(ir::mutables(space), random))));
  }
  return made;
}

std::vector<ir::Graph> small_models(size_t n) {
  return models("mlp", Json::object(), {{1, 8, 8}, 4}, n);
}

ClassificationOptions two_epochs() {
  ClassificationOptions o;
  o.data.name = "synthetic";
  o.data.synthetic = {.n_train = 160, .n_test = 4, .n_classes = 4, .noise = 100};
  o.data.augment = {.crop_padding = 1};
  o.epochs = 2;
  o.batch_size = 16;
  return o;
}

ClassificationEvaluator classification() {
  return {two_epochs(), standard_data_sets(), at::kCPU, at::kDouble};
}

void expect_near_alone(Evaluator& evaluator, const std::vector<Trial>& trials) {
  const auto merged = evaluator.evaluate_merged(trials);
  ASSERT_TRUE(merged);
  const std::vector<Evaluation>& found = *merged;
  ASSERT_EQ(found.size(), trials.size());
  for (size_t i = 0; i < trials.size(); ++i) {
    const Evaluation expected = evaluator.evaluate(trials[i]);
    EXPECT_EQ(found[i].status, expected.status);
    ASSERT_EQ(found[i].objectives.size(), expected.objectives.size());
    for (size_t k = 0; k < expected.objectives.size(); ++k) {
      EXPECT_NEAR(found[i].objectives[k], expected.objectives[k], 1e-9);
    }
    ASSERT_EQ(found[i].metrics.size(), expected.metrics.size());
    for (const auto& [name, value] : expected.metrics) {
      EXPECT_NEAR(found[i].metrics.at(name), value, 1e-9 * (1 + std::abs(value))) << name;
    }
  }
}

TEST(MergedTraining, ScoresClassifiersAsOneByOne) {
  ClassificationEvaluator evaluator = classification();
  for (const size_t n : {2, 8}) {
    expect_near_alone(evaluator, trials_of(small_models(n)));
  }
  EXPECT_FALSE(evaluator.evaluate_merged(trials_of(small_models(1))));
}

TEST(MergedTraining, ScoresRegressionsAsOneByOne) {
  const TemporaryFolder folder;
  std::string text = "a,b,y\n";
  for (int i = 0; i < 120; ++i) {
    text += std::to_string(i % 11) + "," + std::to_string(i % 7) + "," +
            std::to_string(3 * (i % 11) - i % 7) + "\n";
  }
  write_plainly(folder / "plane.csv", text);
  RegressionOptions o;
  o.data.name = "csv";
  o.data.dir = folder / "plane.csv";
  o.data.csv.task = CsvTask::Regression;
  o.epochs = 3;
  o.batch_size = 16;
  RegressionEvaluator evaluator(o, standard_data_sets(), at::kCPU, at::kDouble);
  expect_near_alone(evaluator, trials_of(models("mlp", Json::object(), {{2}, 1}, 4)));
}

TEST(MergedTraining, LetsCostsBeAdded) {
  CostedEvaluator evaluator(std::make_unique<ClassificationEvaluator>(
                                two_epochs(), standard_data_sets(), at::kCPU, at::kDouble),
                            CostsOptions{.costs = {"parameters", "multiply_adds"}});
  expect_near_alone(evaluator, trials_of(small_models(3)));
}

std::vector<Network> networks_of(const std::vector<ir::Graph>& graphs) {
  std::vector<Network> networks;
  for (const ir::Graph& graph : graphs) {
    networks.emplace_back(graph, 1);
  }
  return networks;
}

TrialTraining some_training() {
  return {.train = Batches(standard_data_sets().load(two_epochs().data).train, {})};
}

Trial changed(const std::function<void(Trial&)>& change) {
  Trial trial;
  change(trial);
  return trial;
}

Trial of_epochs(int64_t epochs) {
  return changed([&](Trial& trial) { trial.proposal.epochs = epochs; });
}

TEST(MergedTraining, IsForTrialsThatTrainAlike) {
  const std::vector<Network> two = networks_of(small_models(2));
  const auto alike = [&](const Trial& a, const Trial& b) {
    return trains_alike(two, some_training(), std::vector{a, b});
  };
  EXPECT_TRUE(alike({}, {}));
  EXPECT_TRUE(alike(of_epochs(3), of_epochs(3)));
  EXPECT_FALSE(alike(of_epochs(3), of_epochs(2)));
  EXPECT_FALSE(alike({}, changed([](Trial& trial) { trial.proposal.continues = 0; })));
  EXPECT_FALSE(alike({}, changed([](Trial& trial) { trial.floors = {0.5}; })));
  Trial kept = of_epochs(3);
  kept.weights = "folder";
  EXPECT_FALSE(alike(kept, kept));
  EXPECT_FALSE(trains_alike(networks_of(small_models(1)), some_training(), std::vector<Trial>(1)));
  TrialTraining scored = some_training();
  scored.intermediate = true;
  EXPECT_FALSE(trains_alike(two, scored, std::vector<Trial>(2)));
}

TEST(MergedTraining, LeavesConvolutionsOnACpuToThemselves) {
  const std::vector<ir::Graph> graphs = models("tiny", {{"channels", 4}}, {{1, 8, 8}, 4}, 2);
  EXPECT_FALSE(trains_alike(networks_of(graphs), some_training(), std::vector<Trial>(2)));
  ClassificationEvaluator evaluator = classification();
  EXPECT_FALSE(evaluator.evaluate_merged(trials_of(graphs)));
}

TEST(MergedTraining, IsNotForUnlikeTrials) {
  ClassificationEvaluator evaluator = classification();
  std::vector<Trial> trials = trials_of(small_models(2));
  trials[1].proposal.epochs = 1;
  EXPECT_FALSE(evaluator.evaluate_merged(trials));
}

TEST(MergedTraining, StopsAllWhenOneIsAskedTo) {
  ClassificationEvaluator evaluator = classification();
  int64_t n_asked = 0;
  std::vector<Trial> trials = trials_of(small_models(2));
  trials[1].stop_requested = [&] { return ++n_asked == 3; };
  const std::vector<Evaluation> results = evaluator.evaluate_merged(trials).value();
  ASSERT_EQ(results.size(), 2);
  for (const Evaluation& one : results) {
    EXPECT_EQ(one.status, TrialStatus::Stopped);
  }
  EXPECT_EQ(n_asked, 3);
}

TEST(MergedTraining, ThrowsWhenOneModelDiverges) {
  ClassificationOptions wild = two_epochs();
  wild.weight_optimizer = {.lr = 1e5, .gradient_clip = 0};
  ClassificationEvaluator evaluator(wild, standard_data_sets());
  EXPECT_THAT(error_of([&] { evaluator.evaluate_merged(trials_of(small_models(2))); }),
              testing::HasSubstr("became infinite or NaN"));
}

}  // namespace
}  // namespace retia
