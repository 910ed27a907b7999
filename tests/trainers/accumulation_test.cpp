#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/distributed/in_ranks.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/algorithms.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

using testing::Each;
using testing::HasSubstr;

/// A space without normalisations, which are of the parts of a batch; it draws per sample.
ir::Graph plain_space() {
  Builder b("plain");
  const Wire image = b.input("image", {1, 6, 6});
  const Wire stem = b.add("stem", ops::conv2d({.out = 4, .kernel = 1, .bias = true}), {image});
  const Wire op = b.layer_choice("op",
                                 {{"pool", ops::avg_pool2d()},
                                  {"conv3", ops::conv2d({.kernel = 3})},
                                  {"conv5", ops::conv2d({.kernel = 5})}},
                                 {stem});
  const Wire dropped = b.add("drop", ops::drop_path({.probability = 0.5}), {op});
  const Wire sum = b.add("sum", ops::add(), {stem, dropped});
  const Wire mean = b.add("pooled", ops::global_mean(), {b.add("relu", ops::relu(), {sum})});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {mean}));
  return b.finish();
}

Batches batches(int64_t n, uint64_t seed, Ranks* ranks) {
  BatchOptions options = {
      .batch_size = 12, .seed = seed, .last = LastBatch::Drop, .dtype = at::kDouble};
  if (ranks != nullptr) {
    options.rank = ranks->rank();
    options.n_ranks = ranks->size();
  }
  return {stripes(n, seed), options};
}

SearchSetup setup_with(const ir::Graph& graph, int64_t accumulate, Ranks* ranks) {
  SearchSetup setup{.network = Network(graph, 1),
                    .train = batches(48, 2, ranks),
                    .valid = batches(24, 3, ranks),
                    .trainer = {.epochs = 2, .label_smoothing = 0.1, .accumulate = accumulate},
                    .weight_optimizer = {.lr = 0.1, .gradient_clip = 0.1},
                    .scoring = batches(24, 3, nullptr),
                    .ranks = ranks};
  setup.network->to(at::kDouble);
  return setup;
}

struct Result {
  Checkpoint saved;
  std::vector<Json> reports;
};

Result result_of(Trainer& trainer) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  Recorder recorder;
  trainer.fit(recorder, &store);
  return {store.newest([](const auto&) {}).value(), recorder.reports};
}

struct Method {
  std::string name;
  Json options = Json::object();
};

Result searched(const Method& method, int64_t accumulate, Ranks* ranks = nullptr) {
  const SearchSetup setup = setup_with(plain_space(), accumulate, ranks);
  const Search search = standard_algorithms().make(method.name, method.options, setup, 5);
  return result_of(*search.trainer);
}

void expect_near(const Result& a, const Result& b) {
  expect_near_tensors(a.saved.tensors, b.saved.tensors);
  expect_near_reports(a.reports, b.reports);
}

const std::vector<Method> kMethods = {
    {"darts", {{"alpha_optimizer", {{"lr", 0.05}}}}},
    {"darts", {{"order", 2}, {"alpha_optimizer", {{"lr", 0.05}}}}},
    {"darts",
     {{"alpha_optimizer", {{"lr", 0.05}}},
      {"penalty", {{"cost", "parameters"}, {"scale", 0.5}, {"form", "mul"}}}}},
    {"gdas", {{"alpha_optimizer", {{"lr", 0.05}}}}},
    {"proxyless", {{"alpha_optimizer", {{"lr", 0.05}}}}},
    {"enas", {{"controller_steps", 2}, {"aggregate", 2}, {"n_candidates", 0}}},
    {"spos"},
    {"fairnas"}};

TEST(Accumulation, OfPartsEqualsOneBatchInEveryAlgorithm) {
  for (const Method& method : kMethods) {
    SCOPED_TRACE(method.name + method.options.dump());
    const Result whole = searched(method, 1);
    for (const int64_t parts : {3, 12}) {
      expect_near(searched(method, parts), whole);
    }
  }
}

TEST(Accumulation, OfPartsEqualsOneBatchInPlainTraining) {
  const auto trained = [](int64_t accumulate) {
    const ir::Graph model = ir::freeze(plain_space(), {{"op", {{2}}}});
    const SearchSetup setup = setup_with(model, accumulate, nullptr);
    SupervisedTrainer trainer(setup.network, setup.train, setup.valid, setup.trainer,
                              setup.weight_optimizer);
    return result_of(trainer);
  };
  expect_near(trained(4), trained(1));
}

TEST(Accumulation, OfTheSharesOfRanksEqualsOneBatch) {
  const Method darts = kMethods[1];
  const Result whole = searched(darts, 1);
  EXPECT_THAT(in_ranks(2, [&](Ranks& ranks) { expect_near(searched(darts, 3, &ranks), whole); }),
              Each(""));
}

TEST(Accumulation, RunsPartsOneAfterTheOther) {
  // A normalisation of one sample per part refuses: so parts it was, and of that size.
  SearchSetup setup = small_search(1);
  setup.trainer.accumulate = 8;
  setup.network = Network(
      [] {
        Builder b("net");
        const Wire x = b.add("mean", ops::global_mean(), {b.input("x", {1, 6, 6})});
        const Wire y = b.add("wide", ops::linear({.out = 4}), {x});
        b.output("y",
                 b.add("head", ops::linear({.out = 2}), {b.add("bn", ops::batch_norm(), {y})}));
        return b.finish();
      }(),
      1);
  SupervisedTrainer trainer(setup.network, setup.train, std::nullopt, setup.trainer, {});
  Recorder recorder;
  EXPECT_THAT(error_of([&] { trainer.fit(recorder, nullptr); }),
              HasSubstr("more than one value per channel while training, got [1, 4]"));
}

TEST(Accumulation, RefusesPartsThatAreNotEqual) {
  const Method darts = kMethods[0];
  EXPECT_THAT(error_of([&] { searched(darts, 5); }),
              HasSubstr("12 samples of a step cannot be cut into 5 equal parts"));
  EXPECT_THAT(error_of([&] { searched(darts, 0); }), HasSubstr("accumulate must be at least 1"));
  EXPECT_THAT(in_ranks(2, [&](Ranks& ranks) { searched(darts, 4, &ranks); }),
              Each(HasSubstr("6 samples of a step on each rank cannot be cut into 4 equal parts")));
}

}  // namespace
}  // namespace retia
