#include "retia/mutators/gdas.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/mutators/chi_square.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// One layer choice of three candidates.
Network choice_of_three() {
  Builder b("three");
  const Wire x = b.input("x", {2, 4, 4});
  b.output("y",
           b.layer_choice(
               "op", {{"relu", ops::relu()}, {"skip", ops::identity()}, {"max", ops::max_pool2d()}},
               {x}));
  return Network(b.finish(), 1);
}

void set_alpha(const AlphaMutator& mutator, const std::vector<double>& values) {
  const at::NoGradGuard no_grad;
  at::Tensor alpha = mutator.alpha("op");
  alpha.copy_(at::tensor(values, at::kDouble));
}

TEST(GdasMutator, CoolsDownLinearlyFromEpochToEpoch) {
  Network network = choice_of_three();
  GdasMutator mutator(*network, {.first_temperature = 1.0, .last_temperature = 0.33});
  const auto at_epoch = [&](double epoch) {
    mutator.set_progress(epoch / 10);
    return mutator.temperature();
  };
  EXPECT_DOUBLE_EQ(at_epoch(0), 1.0);
  EXPECT_DOUBLE_EQ(at_epoch(5), 0.665);
  EXPECT_DOUBLE_EQ(at_epoch(9), 0.397);
}

TEST(GdasMutator, TakesEachCandidateAsOftenAsItsProbability) {
  Network network = choice_of_three();
  GdasMutator mutator(*network, {.alphas = {.seed = 3}});
  set_alpha(mutator, {0, std::log(2.0), std::log(3.0)});  // p = 1/6, 2/6, 3/6
  std::vector<int64_t> counts(3);
  for (int i = 0; i < 6000; ++i) {
    mutator.reset();
    ++counts[static_cast<size_t>(mutator.current().at("op").chosen.front())];
  }
  double chi_square = 0;
  for (size_t k = 0; k < 3; ++k) {
    const double expected = 1000.0 * static_cast<double>(k + 1);
    chi_square += std::pow(static_cast<double>(counts[k]) - expected, 2) / expected;
  }
  EXPECT_LT(chi_square, 18.4);  // 2 degrees of freedom, p = 1e-4
}

TEST(GdasMutator, IsHardForwardAndSoftBackward) {
  Network network = choice_of_three();
  network->to(at::kDouble);
  GdasMutator hard(*network, {.alphas = {.alpha_scale = 1, .seed = 3}});
  hard.set_progress(0.9);
  hard.reset();
  const at::Tensor weight = hard.weights(hard.mutable_of("op"));
  ASSERT_EQ(weight.sizes(), at::IntArrayRef({1}));
  EXPECT_EQ(weight.item<double>(), 1.0);
  const at::Tensor gradient = torch::autograd::grad({weight.sum()}, {hard.alpha("op")}).front();
  EXPECT_GT(gradient.abs().max().item<double>(), 1e-6);
  EXPECT_NEAR(gradient.sum().item<double>(), 0, 1e-12);
}

TEST(GdasMutator, BlendsByTheTemperatureWhereItIsSoft) {
  Network network = choice_of_three();
  network->to(at::kDouble);
  GdasMutator mutator(*network, {.alphas = {.alpha_scale = 1, .seed = 3},
                                 .first_temperature = 4,
                                 .last_temperature = 1,
                                 .hard = false});
  mutator.reset();
  const auto logits = [&] { return mutator.weights(mutator.mutable_of("op")).log(); };
  const at::Tensor hot = logits();
  mutator.set_progress(1);  // the same noise, a quarter of the temperature
  const at::Tensor cold = logits();
  EXPECT_TRUE(at::allclose((cold - cold.mean()), 4 * (hot - hot.mean()), 1e-9, 1e-12));
  EXPECT_EQ(mutator.current().at("op").chosen.size(), 3);
}

TEST(GdasMutator, WeighsOnlyWhatItHasSampled) {
  Network network = choice_of_three();
  GdasMutator mutator(*network, {.alphas = {.seed = 3}});
  mutator.reset();
  const int64_t sampled = mutator.current().at("op").chosen.front();
  mutator.apply({{"op", {{(sampled + 1) % 3}}}});
  EXPECT_FALSE(mutator.weights(mutator.mutable_of("op")).defined());
}

TEST(GdasMutator, ContinuesFromItsState) {
  Network network = choice_of_three();
  GdasMutator mutator(*network, {.alphas = {.seed = 3}});
  mutator.reset();
  const Json saved = mutator.state();
  const auto next = [&] {
    mutator.reset();
    return mutator.current();
  };
  const std::vector<Architecture> expected = {next(), next(), next(), next(), next()};
  mutator.load_state(saved);
  EXPECT_EQ((std::vector<Architecture>{next(), next(), next(), next(), next()}), expected);
}

TEST(GdasMutator, RefusesATemperatureThatIsNotAboveZero) {
  Network network = choice_of_three();
  EXPECT_THAT(error_of([&] { GdasMutator(*network, {.last_temperature = 0}); }),
              HasSubstr("temperatures must be above 0, got 10 and 0"));
}

}  // namespace
}  // namespace retia
