#include "retia/trainers/algorithms.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsSupersetOf;

/// Two layer choices of two candidates.
ir::Graph pairs_space() {
  Builder b("pairs");
  Wire x = b.add("stem", ops::conv2d({.out = 4, .kernel = 1}), {b.input("image", {1, 6, 6})});
  for (const char* name : {"first", "second"}) {
    x = b.layer_choice(name, {{"skip", ops::identity()}, {"conv", block()}}, {x});
  }
  const Wire pooled = b.add("pooled", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {pooled}));
  return b.finish();
}

/// Makes a search from the default options, in a space that suits most algorithms.
Search search_from_defaults(const AlgorithmTable& table, const std::string& name) {
  Json options = table.defaults(name);
  SearchSetup setup = small_search(1);
  if (name == "pc_darts") {
    options["partial_channels"] = 1;
  } else if (name == "fairnas") {
    setup.network = Network(pairs_space(), 1);
  }
  return table.make(name, options, setup, 1);
}

TEST(AlgorithmTable, SearchesByEveryAlgorithmFromItsDefaultsOrSaysWhatItNeeds) {
  const AlgorithmTable table = standard_algorithms();
  EXPECT_THAT(table.names(), IsSupersetOf({"darts", "enas", "spos"}));
  for (const std::string& name : table.names()) {
    Search search;
    const std::string refusal = error_of([&] { search = search_from_defaults(table, name); });
    if (search.trainer == nullptr) {
      EXPECT_THAT(refusal, AnyOf(HasSubstr("give "), HasSubstr("use "))) << name;
      continue;
    }
    Recorder recorder;
    EXPECT_EQ(search.trainer->fit(recorder, nullptr), Ending::Finished) << name;
    const Architecture found = search.trainer->export_architecture();
    EXPECT_EQ(
        error_of([&] { check_architecture(found, search.mutator->mutables(), Purpose::Final); }),
        "(no error)")
        << name;
  }
}

TEST(AlgorithmTable, DependsOnTheSeedOnly) {
  for (const std::string name : {"darts", "enas", "gdas", "proxyless", "random", "spos"}) {
    const auto architecture = [&](uint64_t seed) {
      const Search search = standard_algorithms().make(name, Json::object(), small_search(1), seed);
      search.mutator->reset();
      return std::make_pair(search.mutator->sample_final(), search.mutator->sample_search());
    };
    EXPECT_EQ(architecture(1), architecture(1)) << name;
  }
}

/// What the papers state; entries of `options` that are named.
TEST(AlgorithmTable, HasThePapersDefaults) {
  const AlgorithmTable table = standard_algorithms();
  const auto adam = [](double lr, double beta1, double weight_decay) {
    return Json{{"lr", lr}, {"beta1", beta1}, {"beta2", 0.999}, {"weight_decay", weight_decay}};
  };
  const std::map<std::string, Json> expected = {
      {"darts", {{"order", 1}, {"alpha_optimizer", adam(3e-4, 0.5, 1e-3)}}},
      {"pc_darts",
       {{"partial_channels", 4}, {"warmup", 0.3}, {"alpha_optimizer", adam(6e-4, 0.5, 1e-3)}}},
      {"p_darts",
       {{"extra_layers", {0, 6, 12}},
        {"dropped", {3, 2}},
        {"skip_dropout", {0.0, 0.4, 0.7}},
        {"most_skips", 2},
        {"warmup", 0.4},
        {"alpha_optimizer", adam(6e-4, 0.5, 1e-3)}}},
      {"gdas",
       {{"first_temperature", 10.0},
        {"last_temperature", 0.1},
        {"hard", true},
        {"alpha_optimizer", adam(3e-4, 0.5, 1e-3)}}},
      {"proxyless", {{"paths", 2}, {"alpha_optimizer", adam(1e-3, 0, 0)}}},
      {"enas",
       {{"controller",
         {{"lstm_size", 64},
          {"lstm_layers", 1},
          {"temperature", 1.0},
          {"tanh_constant", 1.5},
          {"branch_bias", 0.25},
          {"skip_target", 0.4}}},
        {"controller_steps", 50},
        {"aggregate", 20},
        {"entropy_weight", 1e-4},
        {"skip_weight", 0.8},
        {"baseline_decay", 0.999},
        {"controller_lr", 3.5e-4}}},
      {"spos",
       {{"evolution",
         {{"population", 50},
          {"parents", 10},
          {"crossovers", 25},
          {"mutations", 25},
          {"mutation_probability", 0.1},
          {"rounds", 20}}},
        {"bins", 7},
        {"recalibration_batches", 200}}}};
  for (const auto& [name, entries] : expected) {
    Json merged = table.defaults(name);
    merged.merge_patch(entries);
    EXPECT_EQ(merged, table.defaults(name)) << name;
  }
}

TEST(AlgorithmTable, HandsTheLearningRateOfAlphasOn) {
  for (const std::string name : {"darts", "gdas", "pc_darts", "proxyless"}) {
    for (const double lr : {0.0, 0.1}) {
      Json options = {{"alpha_optimizer", {{"lr", lr}, {"weight_decay", 0}}}};
      if (name == "pc_darts") {
        options["partial_channels"] = 1;
      }
      const Search search = standard_algorithms().make(name, options, small_search(2), 1);
      std::vector<at::Tensor> before;
      for (const at::Tensor& alpha : search.mutator->parameters()) {
        before.push_back(alpha.detach().clone());
      }
      Recorder recorder;
      search.trainer->fit(recorder, nullptr);
      double most = 0;
      for (size_t i = 0; i < before.size(); ++i) {
        const at::Tensor moved = search.mutator->parameters()[i] - before[i];
        most = std::max(most, moved.abs().max().item<double>());
      }
      EXPECT_TRUE(lr == 0 ? most < 1e-5 : most > 0.05) << name << " " << lr << ": " << most;
    }
  }
}

TEST(AlgorithmTable, SaysWhyAnAlgorithmDoesNotSuitASpace) {
  const AlgorithmTable table = standard_algorithms();
  EXPECT_THAT(error_of([&] { table.make("fairnas", Json::object(), small_search(1), 1); }),
              HasSubstr("'op' has 4 and 'mixed' 2: use spos, or random"));
  EXPECT_THAT(error_of([&] { table.make("p_darts", Json::object(), small_search(1), 1); }),
              HasSubstr("this one has no option 'layers': give darts_cnn, or use darts"));
  EXPECT_THAT(error_of([&] { table.make("pc_darts", Json::object(), small_search(1), 1); }),
              HasSubstr("--set algorithm.partial_channels=1"));
}

TEST(AlgorithmTable, NamesTheNearestOfAnUnknownNameOrOption) {
  const AlgorithmTable table = standard_algorithms();
  EXPECT_THAT(error_of([&] { table.make("dart", {}, small_search(1), 1); }),
              HasSubstr("unknown algorithm 'dart'; did you mean 'darts'?"));
  EXPECT_THAT(error_of([&] { table.defaults("sposs"); }), HasSubstr("did you mean 'spos'"));
  EXPECT_THAT(error_of([&] {
                table.make("darts", {{"ordr", 1}}, small_search(1), 1);
              }),
              HasSubstr("algorithm 'darts': unknown key 'ordr'; did you mean 'order'?"));
  EXPECT_THAT(error_of([&] {
                table.make("darts", {{"alpha_optimizer", {{"lrr", 1}}}}, small_search(1), 1);
              }),
              HasSubstr("did you mean 'lr'"));
  EXPECT_THAT(error_of([&] {
                table.make("random", {{"n_candidates", 0}}, small_search(1), 1);
              }),
              HasSubstr("n_candidates must be at least 1"));
  EXPECT_THAT(error_of([&] {
                table.make("enas", {{"controller", {{"tanh_constan", 1}}}}, small_search(1), 1);
              }),
              HasSubstr("did you mean 'tanh_constant'"));
}

Search make_nothing(const SgdOptions&, const SearchSetup&, uint64_t) { return {}; }

TEST(AlgorithmTable, TakesAlgorithmsOfTheUser) {
  AlgorithmTable table = standard_algorithms();
  table.add("mine", make_nothing);
  EXPECT_EQ(table.defaults("mine").at("lr"), 0.025);
  EXPECT_EQ(table.make("mine", {{"lr", 1}}, small_search(1), 1).trainer, nullptr);
  EXPECT_THAT(error_of([&] { table.add("spos", make_nothing); }),
              HasSubstr("'spos' is in the table already"));
}

}  // namespace
}  // namespace retia
