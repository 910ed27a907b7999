#include "retia/trainers/merged_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/tests/error_of.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/trainers/runs.h"
#include "retia/trainers/data/synthetic.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

constexpr int64_t kClasses = 4;

Batches batches(int64_t n, uint64_t seed, SampleOrder order) {
  const DataSplits splits = with_statistics(
      make_synthetic({.n_train = n, .n_classes = kClasses, .noise = 100, .seed = seed}));
  return {splits.train,
          {.batch_size = 16,
           .seed = 3,
           .order = order,
           .augment = {.crop_padding = 1, .cutout = 2},
           .dtype = at::kDouble}};
}

/// The same networks each time.
std::vector<Network> members(const std::string& name, const Json& options, size_t n) {
  const ir::Graph space = standard_spaces().search(name, options, {{1, 8, 8}, kClasses}).graph();
  Random random(n);
  std::vector<Network> made;
  for (size_t i = 0; i < n; ++i) {
    const Architecture architecture = random_architecture(ir::mutables(space), random);
    made.emplace_back(ir::freeze(space, ir::canonical(space, architecture)), 1);
    made.back()->to(at::kDouble);
  }
  return made;
}

/// Expects of the merged training what the models come to that are trained one by one.
void expect_as_alone(const std::vector<Network>& networks, const std::vector<Network>& alone,
                     const SgdOptions& sgd, int64_t most_channels = 16) {
  const Batches train = batches(48, 1, SampleOrder::Shuffled);
  const Batches valid = batches(20, 2, SampleOrder::Given);
  const TrainerOptions options = {.epochs = 2, .label_smoothing = 0.1};
  const MergedNetwork merged(networks, most_channels);
  MergedTrainer trainer(merged, train, valid, options, sgd);
  Recorder together;
  ASSERT_EQ(trainer.fit(together, nullptr), Ending::Finished);
  merged.give_back();
  ASSERT_EQ(trainer.reports().size(), networks.size());
  for (size_t i = 0; i < networks.size(); ++i) {
    SupervisedTrainer one(alone[i], train, valid, options, sgd);
    Recorder recorder;
    one.fit(recorder, nullptr);
    const EpochReport& expected = recorder.epochs.back();
    const EpochReport& found = trainer.reports()[i];
    EXPECT_NEAR(found.loss, expected.loss, 1e-10);
    EXPECT_EQ(found.accuracy, expected.accuracy);
    EXPECT_EQ(found.lr, expected.lr);
    EXPECT_NEAR(found.validation->loss, expected.validation->loss, 1e-10);
    EXPECT_EQ(found.validation->accuracy, expected.validation->accuracy);
    EXPECT_EQ(found.validation->n_samples, expected.validation->n_samples);
    if (networks.size() == 1) {
      EXPECT_NEAR(together.epochs.back().loss, expected.loss, 1e-10);
    }
  }
}

/// The weights after training, too, of models whose every weight leads to the output.
void expect_weights_as_alone(const std::vector<Network>& networks,
                             const std::vector<Network>& alone) {
  for (size_t i = 0; i < networks.size(); ++i) {
    const NamedTensors expected = weights_of(*alone[i]);
    for (const auto& [name, tensor] : weights_of(*networks[i])) {
      EXPECT_LE((tensor - expected.at(name)).abs().max().item<double>(), 1e-10) << name;
    }
  }
}

const std::vector<std::pair<std::string, Json>>& spaces() {
  static const std::vector<std::pair<std::string, Json>> all = {
      {"mlp", {{"layers", 2}, {"widths", {4, 8}}}},
      {"tiny", {{"channels", 4}, {"width_choice", true}}},
      {"spos_chain", {{"channels", 4}, {"layers", 3}}},
      {"nasbench201", {{"channels", 4}, {"cells", 1}}},
      {"mobile",
       {{"blocks", {2}},
        {"channels", {8}},
        {"strides", {2}},
        {"stem_channels", 8},
        {"stem_stride", 1},
        {"first_channels", 8},
        {"last_channels", 16}}}};
  return all;
}

TEST(MergedTrainer, ComesToWhatSeparateTrainingsComeTo) {
  for (const auto& [name, options] : spaces()) {
    for (const size_t n : {1, 2, 4, 8}) {
      SCOPED_TRACE(name + " x " + std::to_string(n));
      const std::vector<Network> networks = members(name, options, n);
      const std::vector<Network> alone = members(name, options, n);
      expect_as_alone(networks, alone, {.lr = 0.05});
      if (name == "mlp" || name == "tiny") {
        expect_weights_as_alone(networks, alone);
      }
    }
  }
}

TEST(MergedTrainer, ClipsTheGradientsOfEachModelByItsOwnNorm) {
  for (const double clip : {0.0, 0.05, 1.0}) {
    SCOPED_TRACE(clip);
    const std::vector<Network> networks = members("tiny", {{"channels", 4}}, 4);
    const std::vector<Network> alone = members("tiny", {{"channels", 4}}, 4);
    expect_as_alone(networks, alone, {.lr = 0.2, .weight_decay = 0.01, .gradient_clip = clip},
                    ir::kAnyNumberOfChannels);
    expect_weights_as_alone(networks, alone);
  }
}

/// A model with an auxiliary classifier.
Network of_two_outputs(int64_t kernel) {
  Builder b("model");
  const Wire image = b.input("image", {1, 8, 8});
  const Wire x = b.add("conv", ops::conv2d({.out = 4, .kernel = kernel}), {image});
  const Wire y = b.add("deeper", ops::conv2d({.out = 4}), {b.add("relu", ops::relu(), {x})});
  const auto classify = [&](const std::string& name, Wire from) {
    b.output(name + "_logits", b.add(name, ops::linear({.out = kClasses}),
                                     {b.add(name + "_mean", ops::global_mean(), {from})}));
  };
  classify("head", y);
  classify("auxiliary", x);
  Network network(b.finish(), 1);
  network->to(at::kDouble);
  return network;
}

TEST(MergedTrainer, AddsTheLossesOfAuxiliaryOutputs) {
  const auto models = [] {
    return std::vector{of_two_outputs(3), of_two_outputs(5), of_two_outputs(3)};
  };
  const std::vector<Network> networks = models(), alone = models();
  expect_as_alone(networks, alone, {.lr = 0.1});
  expect_weights_as_alone(networks, alone);
}

TEST(MergedTrainer, ThrowsWhenOneModelDiverges) {
  const std::vector<Network> networks = members("tiny", {{"channels", 4}}, 4);
  {
    const at::NoGradGuard no_grad;
    networks[2]->parameters().front().fill_(std::numeric_limits<double>::quiet_NaN());
  }
  MergedTrainer trainer(MergedNetwork(networks), batches(80, 1, SampleOrder::Shuffled),
                        std::nullopt, {.epochs = 1}, {});
  Recorder recorder;
  EXPECT_THAT(error_of([&] { trainer.fit(recorder, nullptr); }),
              testing::HasSubstr("the loss became infinite or NaN at step 1 of epoch 1"));
}

}  // namespace
}  // namespace retia
