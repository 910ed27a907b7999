#include "retia/trainers/evaluators/inherited.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/space/freeze.h"
#include "retia/mutators/spos.h"
#include "retia/tests/trainers/evaluators/trials.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/score.h"

namespace retia {
namespace {

TEST(InheritedEvaluator, ScoresWithTheSupernetsWeightsAndRecalibratedStatistics) {
  const SearchSetup setup = small_search(1);
  InheritedEvaluator evaluator(setup.network, setup.train, setup.valid, 3);
  NamedTensors before;
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    before[name] = tensor.detach().clone();
  }
  const ir::Graph model = ir::freeze(setup.network->graph(), planted());
  const Evaluation found =
      evaluator.evaluate(trial_of(model, {.proposal = {.architecture = planted()}}));
  Network expected = inherit(setup.network, planted());
  recalibrate(expected, setup.train, 3);
  const Score score = score_of(expected, setup.valid);
  EXPECT_EQ(found.objectives, std::vector<double>{score.accuracy});
  EXPECT_EQ(found.metrics.at("accuracy"), score.accuracy);
  EXPECT_EQ(found.metrics.at("loss"), score.loss);
  InheritedEvaluator rewarding(setup.network, setup.train, setup.valid, 3,
                               [](double accuracy, const Architecture& architecture) {
                                 return accuracy - static_cast<double>(architecture.size());
                               });
  EXPECT_EQ(
      rewarding.evaluate(trial_of(model, {.proposal = {.architecture = planted()}})).objectives,
      std::vector<double>{score.accuracy - 2});
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  }
}

TEST(InheritedEvaluator, IsDroppedWhereItIsAskedToStop) {
  const SearchSetup setup = small_search(1);
  InheritedEvaluator evaluator(setup.network, setup.train, setup.valid, 1);
  const Trial trial = {.proposal = {.architecture = planted()},
                       .stop_requested = [] { return true; }};
  EXPECT_EQ(
      evaluator.evaluate(trial_of(ir::freeze(setup.network->graph(), planted()), trial)).status,
      TrialStatus::Stopped);
}

}  // namespace
}  // namespace retia
