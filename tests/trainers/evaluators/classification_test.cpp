#include "retia/trainers/evaluators/classification.h"

#include <gmock/gmock.h>

#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"
#include "retia/strategies/grid.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/trainers/evaluators/trials.h"
#include "retia/trainers/evaluators.h"

namespace retia {
namespace {

ir::Graph two_layers(int64_t n_outputs) {
  Builder b("two_layers");
  Wire x = b.add("flatten", ops::flatten(), {b.input("image", {1, 4, 4})});
  x = b.add("hidden", ops::linear({.out = 16}), {x});
  x = b.add("relu", ops::relu(), {x});
  b.output("logits", b.add("head", ops::linear({.out = n_outputs}), {x}));
  return b.finish();
}

/// Looks at the image, or at nothing.
ir::Graph seeing_or_blind() {
  Builder b("seeing_or_blind");
  Wire x = b.layer_choice("eye", {{"blind", ops::zero()}, {"seeing", ops::identity()}},
                          {b.input("image", {1, 4, 4})});
  x = b.add("flatten", ops::flatten(), {x});
  b.output("logits", b.add("head", ops::linear({.out = 4}), {x}));
  return b.finish();
}

ClassificationOptions options() {
  ClassificationOptions o;
  o.data.name = "synthetic";
  o.data.synthetic = {.n_train = 200, .n_test = 4, .n_classes = 4, .height = 4, .width = 4};
  o.epochs = 5;
  o.batch_size = 16;
  o.weight_optimizer.lr = 0.1;
  return o;
}

TEST(ClassificationEvaluator, ScoresAModelThatCanLearn) {
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  const Evaluation good = evaluator.evaluate(trial_of(two_layers(4)));
  EXPECT_EQ(good.status, TrialStatus::Succeeded);
  ASSERT_EQ(good.objectives.size(), evaluator.objectives().size());
  EXPECT_GT(good.objectives[0], 0.9);
  EXPECT_EQ(good.metrics.at("parameters"), 16 * 16 + 16 + 16 * 4 + 4);
  EXPECT_LT(good.metrics.at("loss"), 0.5);
}

TEST(ClassificationEvaluator, TrainsInALowerPrecisionWhereItIsTold) {
  const auto evaluate = [](at::ScalarType dtype) {
    return ClassificationEvaluator(options(), standard_data_sets(), at::kCPU, dtype)
        .evaluate(trial_of(two_layers(4)));
  };
  const Evaluation full = evaluate(at::kFloat), lower = evaluate(at::kBFloat16);
  EXPECT_GT(lower.objectives[0], 0.9);
  EXPECT_NEAR(lower.metrics.at("loss"), full.metrics.at("loss"), 0.05);
  EXPECT_NE(lower.metrics.at("loss"), full.metrics.at("loss"));
}

TEST(ClassificationEvaluator, LetsAnExperimentFindTheBestOfASpace) {
  const TemporaryFolder folder;
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  GridStrategy grid(seeing_or_blind());
  ExperimentObserver observer;
  Experiment experiment(seeing_or_blind(), "eyes", evaluator, grid, folder.path());
  EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Exhausted);
  ASSERT_EQ(experiment.trials().size(), 2u);
  EXPECT_EQ(experiment.trials()[0].evaluation.status, TrialStatus::Diverged);
  EXPECT_EQ(experiment.trials()[0].evaluation.error,
            "the outputs are the same for all 100 validation samples");
  EXPECT_GT(experiment.trials()[1].evaluation.objectives.at(0), 0.9);
  EXPECT_EQ(read_json(folder / "architecture.json")["choices"], (Json{{"eye", "seeing"}}));
}

TEST(ClassificationEvaluator, MarksATrialThatDiverged) {
  const auto evaluated = [](double lr, double clip) {
    ClassificationOptions diverging = options();
    diverging.weight_optimizer.lr = lr;
    diverging.weight_optimizer.gradient_clip = clip;
    ClassificationEvaluator evaluator(diverging, standard_data_sets());
    return evaluator.evaluate(trial_of(two_layers(4)));
  };
  const Evaluation absurd = evaluated(1e4, 5);
  EXPECT_EQ(absurd.status, TrialStatus::Diverged);
  EXPECT_THAT(absurd.error, testing::HasSubstr("but guessing gives 1.38"));
  const Evaluation infinite = evaluated(1e6, 0);
  EXPECT_EQ(infinite.status, TrialStatus::Diverged);
  EXPECT_THAT(infinite.error, testing::HasSubstr("became infinite or NaN"));
}

TEST(ClassificationEvaluator, GivesTheSameNumbersAgainAndWhenRebuiltFromItsJson) {
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  const Evaluation first = evaluator.evaluate(trial_of(two_layers(4)));
  const Evaluation second = evaluator.evaluate(trial_of(two_layers(4)));
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), {});
  const Evaluation third = rebuilt->evaluate(trial_of(two_layers(4)));
  for (const Evaluation& other : {second, third}) {
    EXPECT_EQ(first.objectives, other.objectives);
    EXPECT_EQ(first.metrics, other.metrics);
  }
  EXPECT_EQ(rebuilt->to_json(), evaluator.to_json());
}

TEST(ClassificationEvaluator, NeverLooksAtTheTestSet) {
  DataSets data_sets;
  data_sets.add("synthetic", [](const DataOptions& o) {
    DataSplits splits = make_synthetic(o.synthetic);
    splits.test.targets = at::zeros_like(splits.test.targets);
    splits.test.inputs = at::zeros_like(splits.test.inputs);
    return splits;
  });
  ClassificationEvaluator blanked(options(), data_sets);
  ClassificationEvaluator plain(options(), standard_data_sets());
  EXPECT_EQ(blanked.evaluate(trial_of(two_layers(4))).metrics,
            plain.evaluate(trial_of(two_layers(4))).metrics);
}

TEST(ClassificationEvaluator, TrainsAsLongAsTheProposalSays) {
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  ClassificationOptions longer = options();
  longer.epochs = 7;
  ClassificationEvaluator expected(longer, standard_data_sets());
  EXPECT_EQ(evaluator.evaluate(trial_of(two_layers(4), {.proposal = {.epochs = 7}})).metrics,
            expected.evaluate(trial_of(two_layers(4))).metrics);
}

TEST(ClassificationEvaluator, GoesOnFromTheWeightsOfAnEarlierTrial) {
  const TemporaryFolder folder;
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  const auto trial = [&](int64_t id, int64_t epochs, int64_t continues) {
    return Trial{.proposal = {.id = id, .epochs = epochs, .continues = continues},
                 .weights = folder.path()};
  };
  evaluator.evaluate(trial_of(two_layers(4), trial(0, 2, -1)));
  const Evaluation continued = evaluator.evaluate(trial_of(two_layers(4), trial(1, 3, 0)));
  const Evaluation one_epoch_more = evaluator.evaluate(trial_of(two_layers(4), trial(2, 3, -1)));
  EXPECT_GT(continued.objectives[0], 0.8);
  // The weights are those after two epochs of a schedule of two.
  EXPECT_NE(continued.metrics.at("loss"), one_epoch_more.metrics.at("loss"));
  EXPECT_EQ(evaluator.evaluate(trial_of(two_layers(4), trial(3, 3, 0))).metrics, continued.metrics);
  EXPECT_THAT(error_of([&] { evaluator.evaluate(trial_of(two_layers(4), trial(4, 3, 9))); }),
              testing::HasSubstr("holds no weights of trial 9, which this one continues"));
}

TEST(ClassificationEvaluator, TellsTheAccuracyAfterEachEpochWhereItIsAsked) {
  ClassificationOptions asked = options();
  asked.intermediate = true;
  const Evaluation told =
      ClassificationEvaluator(asked, standard_data_sets()).evaluate(trial_of(two_layers(4)));
  const Evaluation silent =
      ClassificationEvaluator(options(), standard_data_sets()).evaluate(trial_of(two_layers(4)));
  ASSERT_EQ(told.intermediate.size(), 5u);
  EXPECT_EQ(told.intermediate.back(), told.objectives.front());
  EXPECT_LT(told.intermediate.front(), told.intermediate.back());
  EXPECT_TRUE(silent.intermediate.empty());
  EXPECT_EQ(told.objectives, silent.objectives);
  EXPECT_EQ(told.metrics, silent.metrics);
}

TEST(ClassificationEvaluator, EndsEarlyWhereTheBestSoFarIsBelowItsFloor) {
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  const Evaluation whole = evaluator.evaluate(trial_of(two_layers(4), with_floors({0})));
  ASSERT_EQ(whole.intermediate.size(), 5u);
  EXPECT_EQ(whole.metrics.count("epochs"), 0u);
  std::vector<double> best = whole.intermediate;
  for (size_t i = 1; i < best.size(); ++i) {
    best[i] = std::max(best[i], best[i - 1]);
  }
  EXPECT_EQ(evaluator.evaluate(trial_of(two_layers(4), with_floors(best))).intermediate,
            whole.intermediate);
  best[2] += 1e-9;
  const Evaluation ended = evaluator.evaluate(trial_of(two_layers(4), with_floors(best)));
  EXPECT_EQ(ended.status, TrialStatus::Succeeded);
  EXPECT_EQ(ended.intermediate,
            std::vector<double>(whole.intermediate.begin(), whole.intermediate.begin() + 3));
  EXPECT_EQ(ended.objectives, std::vector<double>{whole.intermediate[2]});
  EXPECT_EQ(ended.metrics.at("epochs"), 3);
}

TEST(ClassificationEvaluator, RemembersTheEpochsOfTheTrialItContinues) {
  const TemporaryFolder folder;
  ClassificationOptions asked = options();
  asked.intermediate = true;
  ClassificationEvaluator evaluator(asked, standard_data_sets());
  const auto trial = [&](int64_t id, int64_t epochs, int64_t continues) {
    return Trial{.proposal = {.id = id, .epochs = epochs, .continues = continues},
                 .weights = folder.path()};
  };
  const Evaluation first = evaluator.evaluate(trial_of(two_layers(4), trial(0, 2, -1)));
  const Evaluation second = evaluator.evaluate(trial_of(two_layers(4), trial(1, 4, 0)));
  ASSERT_EQ(second.intermediate.size(), 4u);
  EXPECT_EQ(first.intermediate,
            std::vector<double>(second.intermediate.begin(), second.intermediate.begin() + 2));
  EXPECT_EQ(second.intermediate.back(), second.objectives.front());
}

TEST(ClassificationEvaluator, StopsWhenAsked) {
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  int64_t n_asked = 0;
  const Trial trial{.stop_requested = [&] { return ++n_asked == 3; }};
  EXPECT_EQ(evaluator.evaluate(trial_of(two_layers(4), trial)).status, TrialStatus::Stopped);
  EXPECT_EQ(n_asked, 3);
}

TEST(ClassificationEvaluator, RefusesModelsAndDataThatDoNotSuit) {
  ClassificationEvaluator evaluator(options(), standard_data_sets());
  EXPECT_EQ(error_of([&] { evaluator.evaluate(trial_of(two_layers(3))); }),
            "the model's output has shape [3], expected [4], one number a class");
  EXPECT_EQ(error_of([&] {
              evaluator.evaluate(trial_of(two_layers(4), {.proposal = {.continues = 2}}));
            }),
            "there is no folder with the weights of trial 2, which this one continues");
  ClassificationOptions all_held_out = options();
  all_held_out.data.valid_fraction = 1;
  EXPECT_EQ(error_of([&] { ClassificationEvaluator(all_held_out, standard_data_sets()); }),
            "evaluator 'classification'.data.valid_fraction must be below 1, got 1.0");
}

}  // namespace
}  // namespace retia
