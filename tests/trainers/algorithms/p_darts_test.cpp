#include "retia/trainers/algorithms/p_darts.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// `layers` choices of four, all of one label.
ir::Graph deep_space(int64_t layers) {
  Builder b("deep");
  Wire x = b.add("stem", ops::conv2d({.out = 4, .kernel = 1}), {b.input("image", {1, 6, 6})});
  for (int64_t i = 0; i < layers; ++i) {
    const auto scope = b.scope("cell" + std::to_string(i));
    x = b.layer_choice("op",
                       {{"none", ops::zero()},
                        {"skip", ops::identity()},
                        {"pool", ops::max_pool2d()},
                        {"conv", block()}},
                       {x}, {.label = "op"});
  }
  const Wire pooled = b.add("pooled", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {pooled}));
  return b.finish();
}

SearchSetup deep_search() {
  SearchSetup setup = small_search(2);
  setup.network = Network(deep_space(1), 1);
  setup.space_options = {{"layers", 1}};
  setup.space_with = [](const Json& changed) {
    return deep_space(changed.at("layers").get<int64_t>());
  };
  return setup;
}

int64_t depth_of(const Search& search) {
  int64_t depth = 0;
  for (const ir::Node& node : search.trainer->network()->graph().nodes()) {
    depth += std::holds_alternative<ir::LayerChoice>(node.body) ? 1 : 0;
  }
  return depth;
}

TEST(PDarts, GrowsDeeperAndDropsTheWeakestFromStageToStage) {
  const PDartsOptions options = {
      .extra_layers = {0, 1, 3}, .dropped = {1, 1}, .skip_dropout = {0, 0, 0}, .warmup = 0};
  Search search = make_p_darts(options, deep_search(), 1);
  for (const int64_t depth : {1, 2, 4}) {
    EXPECT_EQ(depth_of(search), depth);
    const Mutable& choice = search.mutator->mutables().front();
    EXPECT_EQ(choice.n_candidates(), depth == 1 ? 4 : depth == 2 ? 3 : 2);
    {
      // What the search is to come to: the convolution, then the pooling.
      const at::NoGradGuard no_grad;
      at::Tensor alpha = search.mutator->parameters().front();
      alpha.copy_(at::arange(choice.n_candidates(), at::kFloat));
    }
    EXPECT_EQ(search.trainer->export_architecture(), (Architecture{{"op", {{3}}}}))
        << "in terms of the whole space";
    EXPECT_EQ(choice.names.back(), "conv");
    EXPECT_EQ(static_cast<bool>(search.next), depth < 4);
    if (search.next) {
      search = search.next();
    }
  }
  Recorder recorder;
  EXPECT_EQ(search.trainer->fit(recorder, nullptr), Ending::Finished);
}

/// A cell of three edges, each of which may be skipped.
ir::Graph skipping_space(int64_t, double skip_dropout) {
  Builder b("skipping");
  Wire x = b.add("stem", ops::conv2d({.out = 4, .kernel = 1}), {b.input("image", {1, 6, 6})});
  const ir::Operation skip =
      skip_dropout == 0 ? ops::identity() : ops::fading_dropout({.probability = skip_dropout});
  for (const char* edge : {"a", "b", "c"}) {
    x = b.layer_choice(edge, {{"skip", skip}, {"pool", ops::max_pool2d()}, {"conv", block()}}, {x});
  }
  const Wire pooled = b.add("pooled", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {pooled}));
  return b.finish();
}

SearchSetup skipping_search() {
  SearchSetup setup = small_search(2);
  setup.network = Network(skipping_space(1, 0), 1);
  setup.space_options = {{"layers", 1}, {"skip_dropout", 0}};
  setup.space_with = [](const Json& changed) {
    return skipping_space(changed.at("layers").get<int64_t>(),
                          changed.value<double>("skip_dropout", 0));
  };
  return setup;
}

TEST(PDarts, DropsFromIdentitiesAtTheRateOfTheStage) {
  Search search = make_p_darts({.extra_layers = {0, 0, 0}, .dropped = {0, 0}, .warmup = 0},
                               skipping_search(), 1);
  for (const double rate : {0.0, 0.4, 0.7}) {
    EXPECT_EQ(search.trainer->network()->graph(), skipping_space(1, rate));
    Recorder recorder;
    EXPECT_EQ(search.trainer->fit(recorder, nullptr), Ending::Finished);
    if (search.next) {
      search = search.next();
    }
  }
}

TEST(PDarts, KeepsTheStrongestTwoSkipConnectionsOfANormalCell) {
  const auto exported = [](int64_t most_skips) {
    const Search search = make_p_darts(
        {.extra_layers = {0}, .dropped = {}, .most_skips = most_skips}, skipping_search(), 1);
    const at::NoGradGuard no_grad;
    for (const auto& [edge, skip] :
         {std::pair("a", 5.0), std::pair("b", 4.0), std::pair("c", 6.0)}) {
      at::Tensor alpha = named_parameters(*search.mutator).at(edge);
      alpha[0] = skip;
      alpha[1] = 1;
      alpha[2] = 2;
    }
    return search.trainer->export_architecture();
  };
  EXPECT_EQ(exported(-1), (Architecture{{"a", {{0}}}, {"b", {{0}}}, {"c", {{0}}}}));
  EXPECT_EQ(exported(2), (Architecture{{"a", {{0}}}, {"b", {{2}}}, {"c", {{0}}}}));
  EXPECT_EQ(exported(0), (Architecture{{"a", {{2}}}, {"b", {{2}}}, {"c", {{2}}}}));
}

TEST(PDarts, RefusesASpaceThatDoesNotGrow) {
  EXPECT_THAT(error_of([] { make_p_darts({}, small_search(1), 1); }),
              HasSubstr("has no option 'layers'"));
  EXPECT_THAT(error_of([] { make_p_darts({}, deep_search(), 1); }),
              HasSubstr("no option 'skip_dropout': give darts_cnn, or --set "
                        "algorithm.skip_dropout=[0,0,0]"));
  EXPECT_THAT(error_of([] { make_p_darts({.skip_dropout = {0}}, deep_search(), 1); }),
              HasSubstr("3 stages need as many skip_dropout, got 1"));
  EXPECT_THAT(error_of([] { make_p_darts({.dropped = {3}}, deep_search(), 1); }),
              HasSubstr("3 stages need 2 numbers of dropped candidates, got 1"));
}

}  // namespace
}  // namespace retia
