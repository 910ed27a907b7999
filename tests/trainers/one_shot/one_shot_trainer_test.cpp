#include "retia/trainers/one_shot/one_shot_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/mutators/fixed.h"
#include "retia/mutators/random.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Notes which samples it is given.
class NotingTrainer final : public OneShotTrainer {
 public:
  using OneShotTrainer::OneShotTrainer;
  StepStats train_step(int64_t epoch, int64_t i) override {
    const Batch train = train_batches().batch(epoch, i);
    trained.push_back(train.sample_keys);
    validated.push_back(valid_batch(epoch, i).sample_keys);
    return step_weights(train);
  }
  using OneShotTrainer::load;
  using OneShotTrainer::save;
  std::vector<std::vector<uint64_t>> trained, validated;
};

TEST(OneShotTrainer, GoesRoundTheValidationBatchesInAnOrderOfTheirOwn) {
  SearchSetup setup = small_search(2);  // 7 batches of training, 3 of validation
  FixedMutator mutator(*setup.network, planted());
  NotingTrainer trainer(setup, mutator);
  Recorder recorder;
  trainer.fit(recorder, nullptr);
  ASSERT_EQ(trainer.trained.size(), 14);
  for (int64_t i = 0; i < 14; ++i) {
    const auto step = static_cast<size_t>(i);
    EXPECT_EQ(trainer.trained[step], setup.train.batch(i / 7, i % 7).sample_keys) << i;
    EXPECT_EQ(trainer.validated[step], setup.valid.batch(i / 3, i % 3).sample_keys) << i;
  }
}

TEST(OneShotTrainer, ExportsWhatItsMutatorKeeps) {
  SearchSetup setup = small_search(1);
  FixedMutator mutator(*setup.network, planted());
  NotingTrainer trainer(setup, mutator);
  EXPECT_EQ(trainer.export_architecture(), planted());
}

/// Owns a parameter of the given size.
class ParametricMutator final : public Mutator {
 public:
  ParametricMutator(const torch::nn::Module& model, int64_t size)
      : Mutator(model), theta(register_parameter("theta", at::zeros({size}))) {}
  Architecture sample_search() override { return planted(); }
  Architecture sample_final() const override { return planted(); }
  at::Tensor theta;
};

TEST(OneShotTrainer, SavesAndLoadsWhatItsMutatorOwns) {
  Checkpoint saved;
  {
    SearchSetup setup = small_search(1);
    ParametricMutator mutator(*setup.network, 2);
    {
      const at::NoGradGuard no_grad;
      mutator.theta.fill_(7);
    }
    NotingTrainer(setup, mutator).save(saved);
  }
  SearchSetup setup = small_search(1);
  {
    ParametricMutator mutator(*setup.network, 2);
    NotingTrainer(setup, mutator).load(saved);
    EXPECT_EQ(mutator.theta.sum().item<float>(), 14);
    EXPECT_TRUE(mutator.theta.requires_grad());
  }
  ParametricMutator larger(*setup.network, 3);
  EXPECT_THAT(
      error_of([&] { NotingTrainer(setup, larger).load(saved); }),
      HasSubstr("another algorithm or space: the weights of 'theta' are [2], expected [3]"));
}

TEST(OneShotTrainer, RefusesACheckpointThatHasNoMutator) {
  SearchSetup setup = small_search(1);
  RandomMutator mutator(*setup.network, {});
  EXPECT_THAT(error_of([&] {
                NotingTrainer(setup, mutator).load({Json::object(), {}});
              }),
              HasSubstr("of another algorithm"));
}

}  // namespace
}  // namespace retia
