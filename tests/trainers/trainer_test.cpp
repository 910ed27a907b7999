#include "retia/trainers/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A model with a second, auxiliary output.
ir::Graph two_outputs() {
  Builder b("net");
  const Wire x = b.add("mean", ops::global_mean(), {b.input("x", {1, 6, 6})});
  b.output("y", b.add("head", ops::linear({.out = 2}), {x}));
  b.output("auxiliary", b.add("side", ops::linear({.out = 2}), {x}));
  return b.finish();
}

/// Trains plainly; spoils the loss of one step; counts validations.
class TestTrainer final : public Trainer {
 public:
  explicit TestTrainer(const TrainerOptions& options, const SgdOptions& sgd = {})
      : Trainer(Network(two_outputs(), 1), stripe_batches(21, 2, 8), options, sgd) {}
  using Trainer::forward;
  using Trainer::weights;

  double spoiled_loss = 0;  // of step 2 of epoch 1; 0: none
  std::vector<int64_t> validated;
  int64_t n_epochs = 0;

 private:
  StepStats train_step(int64_t epoch, int64_t i) override {
    n_epochs = epoch + 1;
    StepStats stats = step_weights(train_batches().batch(epoch, i));
    if (epoch == 1 && i == 2 && spoiled_loss != 0) {
      stats.loss = at::full({}, spoiled_loss);
    }
    return stats;
  }
  std::optional<Score> validate() override {
    validated.push_back(n_epochs);
    return Score{0.5, 0.25, 4};
  }
};

TEST(Trainer, TrainsEveryBatchOfEveryEpochAndReports) {
  TestTrainer trainer({.epochs = 3}, {.lr = 0.1, .final_lr = 0});
  Recorder recorder;
  EXPECT_EQ(trainer.fit(recorder, nullptr), Ending::Finished);
  EXPECT_EQ(recorder.n_steps, 9);
  EXPECT_EQ(trainer.steps_done(), 9);
  ASSERT_EQ(recorder.epochs.size(), 3);
  EXPECT_DOUBLE_EQ(recorder.epochs[0].lr, 0.1);
  EXPECT_DOUBLE_EQ(recorder.epochs[1].lr, 0.075);
  EXPECT_DOUBLE_EQ(recorder.epochs[2].lr, 0.025);
  EXPECT_EQ(recorder.epochs[2].epoch, 2);
  EXPECT_EQ(recorder.epochs[2].epochs, 3);
  EXPECT_EQ(recorder.epochs[0].validation->accuracy, 0.25);
  EXPECT_GT(recorder.epochs[0].images_per_second, 0);
  EXPECT_GE(recorder.epochs[0].seconds, 0);
  EXPECT_EQ(recorder.reports[2].at("step"), 3);
  EXPECT_EQ(recorder.reports[2].at("steps"), 3);
  EXPECT_EQ(recorder.reports[2].at("loss"), recorder.reports[3].at("loss"));
}

TEST(Trainer, ReportsMeansOverTheSamplesOfTheEpochSoFar) {
  TestTrainer trainer({.epochs = 1, .auxiliary_weight = 0}, {.lr = 0, .final_lr = 0});
  Recorder recorder;
  trainer.fit(recorder, nullptr);
  // Weights stand still, so the means are those of one evaluation of the set.
  const Score score = score_of(trainer.network(), trainer.train_batches());
  EXPECT_NEAR(recorder.epochs[0].loss, score.loss, 1e-6);
  EXPECT_DOUBLE_EQ(recorder.epochs[0].accuracy, score.accuracy);
}

TEST(Trainer, ValidatesAsOftenAsItIsToldAndAtTheEnd) {
  const auto validated = [](int64_t every) {
    TestTrainer trainer({.epochs = 5, .validate_every = every});
    Recorder recorder;
    trainer.fit(recorder, nullptr);
    return trainer.validated;
  };
  EXPECT_THAT(validated(1), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(validated(2), ElementsAre(2, 4, 5));
  EXPECT_THAT(validated(0), ElementsAre(5));
}

TEST(Trainer, SmoothsLabelsAndAddsTheAuxiliaryLoss) {
  TestTrainer trainer({.label_smoothing = 0.2, .auxiliary_weight = 0.3});
  const Batch batch = trainer.train_batches().batch(0, 0);
  const std::vector<at::Tensor> outputs = trainer.network()->run(batch.inputs);
  double expected = 0;
  for (size_t k = 0; k < 2; ++k) {
    const at::Tensor logs = at::log_softmax(outputs[k], 1);
    double loss = 0;
    for (int64_t i = 0; i < batch.size(); ++i) {
      const auto target = batch.targets[i].item<int64_t>();
      loss -= 0.9 * logs[i][target].item<double>() + 0.1 * logs[i][1 - target].item<double>();
    }
    expected += (k == 0 ? 1 : 0.3) * loss / static_cast<double>(batch.size());
  }
  EXPECT_NEAR(trainer.forward(batch).loss.item<double>(), expected, 1e-6);
  EXPECT_TRUE(at::equal(trainer.forward(batch).logits, outputs[0]));
}

TEST(Trainer, StopsOnALossThatIsNotFiniteNamingTheStep) {
  for (const double loss :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const TemporaryFolder folder;
    CheckpointStore store(folder.path());
    TestTrainer trainer({.epochs = 3});
    trainer.spoiled_loss = loss;
    Recorder recorder;
    EXPECT_THAT(error_of([&] { trainer.fit(recorder, &store); }),
                AllOf(HasSubstr("the loss became "), HasSubstr("at step 3 of epoch 2"),
                      HasSubstr("lower the learning rate")));
    EXPECT_THAT(store.steps(), ElementsAre(3));
    EXPECT_EQ(recorder.n_steps, 5);
  }
}

TEST(Trainer, StopsOnALossThatItsOwnWeightsSpoil) {
  TestTrainer trainer({.epochs = 3});
  {
    const at::NoGradGuard no_grad;
    trainer.network()->parameters().front().fill_(std::numeric_limits<float>::infinity());
  }
  Recorder recorder;
  EXPECT_THAT(error_of([&] { trainer.fit(recorder, nullptr); }), HasSubstr("at step 1 of epoch 1"));
}

TEST(Trainer, SavesAfterEveryEpochAndWhenStopped) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path(), 10);
  TestTrainer trainer({.epochs = 3});
  Recorder stopping(5);
  EXPECT_EQ(trainer.fit(stopping, &store), Ending::Stopped);
  EXPECT_THAT(store.steps(), ElementsAre(3, 5));
  EXPECT_EQ(trainer.steps_done(), 5);
  Recorder recorder;
  EXPECT_EQ(trainer.fit(recorder, &store), Ending::Finished);
  EXPECT_EQ(recorder.n_steps, 4);
  EXPECT_THAT(store.steps(), ElementsAre(3, 5, 6, 9));
  EXPECT_EQ(trainer.fit(recorder, &store), Ending::Finished);  // nothing is left to do
  EXPECT_EQ(recorder.n_steps, 4);
}

TEST(Trainer, StopsBetweenEpochsWithTheEpochSavedOnce) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path(), 10);
  TestTrainer trainer({.epochs = 3});
  Recorder stopping(3);
  EXPECT_EQ(trainer.fit(stopping, &store), Ending::Stopped);
  EXPECT_EQ(stopping.epochs.size(), 1);
  EXPECT_THAT(store.steps(), ElementsAre(3));
}

TEST(Trainer, RefusesACheckpointOfAnotherModel) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  TestTrainer trainer({.epochs = 1});
  Recorder recorder;
  trainer.fit(recorder, &store);
  Checkpoint saved = store.newest([](const std::string&) {}).value();
  saved.tensors["network/head.weight"] = at::full({2, 5}, 1.0);
  EXPECT_THAT(error_of([&] { trainer.restore(saved, recorder); }), HasSubstr("'head.weight'"));
  saved.tensors.erase("network/head.weight");
  EXPECT_THAT(error_of([&] { trainer.restore(saved, recorder); }), HasSubstr("'head.weight'"));
}

TEST(Trainer, RefusesOptionsOutOfRange) {
  EXPECT_THAT(error_of([] { TestTrainer({.epochs = 0}); }), HasSubstr("epochs must be at least 1"));
  EXPECT_THAT(error_of([] { TestTrainer({.label_smoothing = 1}); }), HasSubstr("label_smoothing"));
  EXPECT_THAT(error_of([] { TestTrainer({.label_smoothing = -0.1}); }),
              HasSubstr("label_smoothing"));
  EXPECT_THAT(error_of([] { TestTrainer({.validate_every = -1}); }), HasSubstr("validate_every"));
}

TEST(WithPrefix, SelectsAndStripsThePrefix) {
  const at::Tensor one = at::full({}, 1.0);
  const NamedTensors found = with_prefix({{"a/x", one}, {"a/y/z", one}, {"ab/x", one}}, "a/");
  EXPECT_EQ(found.size(), 2);
  EXPECT_EQ(found.count("x"), 1);
  EXPECT_EQ(found.count("y/z"), 1);
}

}  // namespace
}  // namespace retia
