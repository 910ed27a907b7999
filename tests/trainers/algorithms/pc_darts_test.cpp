#include "retia/trainers/algorithms/pc_darts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/models/darts_cnn.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// A search of darts_cnn whose `partial_channels` an algorithm can change.
SearchSetup cells_search() {
  SearchSetup setup = small_search(1);
  const DartsCnnOptions options = {.channels = 4, .layers = 1, .nodes = 2};
  const auto space = [options](const Json& changed) {
    return darts_cnn(options_from_json<DartsCnnOptions>(merged(options, changed), "space"),
                     {{1, 6, 6}, 2});
  };
  setup.network = Network(space(Json::object()), 1);
  setup.space_options = options;
  setup.space_with = space;
  return setup;
}

int64_t n_weights(const torch::nn::Module& module) {
  int64_t n = 0;
  for (const at::Tensor& weight : module.parameters()) {
    n += weight.numel();
  }
  return n;
}

TEST(PcDarts, SearchesAPartOfTheChannelsWithAnAlphaForEachEdge) {
  const SearchSetup setup = cells_search();
  const Search search = make_pc_darts({.partial_channels = 2, .warmup = 0}, setup, 3);
  EXPECT_LT(n_weights(*search.trainer->network()), n_weights(*setup.network));
  const NamedTensors alphas = named_parameters(*search.mutator);
  for (const Mutable& choice : search.mutator->mutables()) {
    const bool is_decided = choice.n_candidates() > *choice.n_chosen;
    EXPECT_EQ(alphas.count(choice.label), is_decided ? 1u : 0u) << choice.label;
  }
  const NamedTensors before = copies_of(alphas);
  Recorder recorder;
  EXPECT_EQ(search.trainer->fit(recorder, nullptr), Ending::Finished);
  for (const auto& [label, alpha] : alphas) {
    EXPECT_FALSE(at::equal(alpha, before.at(label))) << label;
  }
}

TEST(PcDarts, KeepsTheNetworkWhereAllChannelsTakePart) {
  const SearchSetup setup = small_search(1);  // of a space without the option
  const Search search = make_pc_darts({.partial_channels = 1}, setup, 3);
  EXPECT_EQ(search.trainer->network().get(), setup.network.get());
}

TEST(PcDarts, RefusesASpaceWithoutPartialChannelsAndAnOptionOutOfRange) {
  const SearchSetup setup = small_search(1);
  EXPECT_THAT(error_of([&] { make_pc_darts({}, setup, 3); }),
              HasSubstr("--set algorithm.partial_channels=1"));
  EXPECT_THAT(error_of([&] { make_pc_darts({.partial_channels = 0}, setup, 3); }),
              HasSubstr("algorithm.partial_channels must be at least 1, got 0"));
}

}  // namespace
}  // namespace retia
