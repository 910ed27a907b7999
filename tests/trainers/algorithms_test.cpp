#include "trainers/algorithms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/error_of.h"
#include "tests/trainers/runs.h"
#include "tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AlgorithmTable, SearchesByEveryAlgorithmFromItsDefaults) {
  const AlgorithmTable table = standard_algorithms();
  EXPECT_THAT(table.names(), ElementsAre("darts", "enas", "random", "spos"));
  for (const std::string& name : table.names()) {
    const Search search = table.make(name, table.defaults(name), small_search(1), 1);
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
  for (const std::string name : {"darts", "enas", "random", "spos"}) {
    const auto architecture = [&](uint64_t seed) {
      const Search search = standard_algorithms().make(name, Json::object(), small_search(1), seed);
      search.mutator->reset();
      return std::make_pair(search.mutator->sample_final(), search.mutator->sample_search());
    };
    EXPECT_EQ(architecture(1), architecture(1)) << name;
  }
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
                table.make("spos", {{"n_candidates", 0}}, small_search(1), 1);
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
