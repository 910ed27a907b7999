#include "retia/engine/space/freeze.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "retia/engine/cost/profile.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/ir/infer.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const Architecture kEveryChoice = {
    {"first", {{0}}}, {"second", {{1}}},  {"second/deep/inner", {{0}}}, {"second/deep/join", {{0}}},
    {"one", {{0}}},   {"mean", {{0, 1}}}, {"wide", {{0, 1}}},           {"any", {{1}}}};

Architecture with(const std::string& label, std::vector<int64_t> chosen) {
  Architecture changed = kEveryChoice;
  changed[label] = {std::move(chosen)};
  return changed;
}

/// Gives each parameter and buffer of `target` the value of `source`'s of the same name.
void load_by_name(torch::nn::Module& target, const torch::nn::Module& source) {
  const at::NoGradGuard no_grad;
  const auto parameters = source.named_parameters();
  for (auto& item : target.named_parameters()) {
    item.value().copy_(parameters[item.key()]);
  }
  const auto buffers = source.named_buffers();
  for (auto& item : target.named_buffers()) {
    item.value().copy_(buffers[item.key()]);
  }
}

TEST(Freeze, NamesWhatIsChosenByChoiceAndCandidate) {
  EXPECT_THAT(
      names(freeze(every_choice_space(), kEveryChoice)),
      ElementsAre("image", "stem", "first/conv", "mean", "wide", "joined", "pooled", "head"));
  EXPECT_THAT(names(freeze(every_choice_space(), {{"first", {{3}}},
                                                  {"second", {{0}}},
                                                  {"second/deep/inner", {{1}}},
                                                  {"second/deep/join", {{0, 1}}},
                                                  {"one", {{1}}},
                                                  {"mean", {{0, 2}}},
                                                  {"wide", {{0, 2}}},
                                                  {"any", {{0}}}})),
              ElementsAre("image", "stem", "first/skip", "second/deep/inner/narrow",
                          "second/deep/join", "wide", "joined", "pooled", "head"));
}

TEST(Freeze, JoinsSeveralInputsByTheReduction) {
  const Graph frozen = freeze(every_choice_space(), with("any", {0, 1}));
  std::map<std::string, std::string> types;
  for (const NodeCost& node : profile(frozen)) {
    types[node.name] = node.type;
  }
  EXPECT_EQ(types.at("mean"), "mean");
  EXPECT_EQ(types.at("wide"), "concat");
  EXPECT_EQ(types.at("any"), "add");
}

TEST(Freeze, MakesZerosWhereNothingIsChosen) {
  const Graph frozen = freeze(every_choice_space(), with("any", {}));
  const auto shapes = infer(frozen);
  for (const Node& node : frozen.nodes()) {
    if (node.name == "any") {
      EXPECT_EQ(std::get<Operation>(node.body).type(), "zeros");
      EXPECT_EQ(to_string(shapes.at(node.id)), "[4, 7, 5]");
      return;
    }
  }
  FAIL() << "no node 'any'";
}

TEST(Freeze, DecidesValueChoicesEverywhere) {
  Builder b("net");
  Wire x = b.input("x", {3, 6, 6});
  const Expression width = ValueChoice<int64_t>("width", {4, 6});
  x = b.add("stem", block({.out = width, .kernel = ValueChoice<int64_t>("k", {1, 5})}), {x});
  x = b.layer_choice("op", {{"a", block({.out = Dim(width) * 2})}, {"b", ops::concat()}}, {x});
  b.output("y", b.add("pooled", ops::global_mean(), {x}));
  const Graph space = b.finish();
  const Graph frozen = freeze(space, {{"width", {{1}}}, {"k", {{0}}}, {"op", {{0}}}});
  EXPECT_TRUE(mutables(frozen).empty());
  EXPECT_EQ(to_string(infer(frozen).at(frozen.outputs().front().wire.node)), "[12]");
  EXPECT_EQ(total_cost(frozen).parameters.value(), 3 * 6 + 2 * 6 + 6 * 12 * 9 + 2 * 12);
}

TEST(Freeze, RefusesDecisionsThatAreMissing) {
  const Graph space = every_choice_space();
  EXPECT_THAT(error_of([&] { freeze(space, {}); }),
              HasSubstr("the architecture decides nothing for"));
  Architecture without_one;
  for (const auto& [label, decision] : kEveryChoice) {
    if (label != "one") {
      without_one[label] = decision;
    }
  }
  EXPECT_THAT(error_of([&] { freeze(space, without_one); }),
              AllOf(HasSubstr("node 'one'"), HasSubstr("decides nothing for 'one'")));
}

TEST(Freeze, RefusesLabelsThatTheSpaceDoesNotHave) {
  EXPECT_THAT(error_of([] { freeze(every_choice_space(), with("frist", {0})); }),
              AllOf(HasSubstr("'frist'"), HasSubstr("did you mean 'first'")));
  EXPECT_THAT(error_of([] { canonical(every_choice_space(), with("frist", {0})); }),
              HasSubstr("did you mean 'first'"));
}

TEST(Freeze, RefusesDecisionsOutOfRangeOrOfTheWrongCount) {
  const auto error = [](const std::string& label, std::vector<int64_t> chosen) {
    return error_of([&] { freeze(every_choice_space(), with(label, std::move(chosen))); });
  };
  EXPECT_THAT(error("first", {4}), HasSubstr("'first': index 4 is outside its 4 candidates"));
  EXPECT_THAT(error("first", {-1}), HasSubstr("index -1 is outside"));
  EXPECT_THAT(error("first", {0, 1}), HasSubstr("'first': expected 1 of 4 candidates, got 2"));
  EXPECT_THAT(error("first", {}), HasSubstr("expected 1 of 4 candidates, got 0"));
  EXPECT_THAT(error("mean", {2}), HasSubstr("'mean': expected 2 of 3 candidates, got 1"));
  EXPECT_THAT(error("mean", {1, 1}), HasSubstr("distinct indices in ascending order"));
  EXPECT_THAT(error("any", {1, 0}), HasSubstr("got 0 after 1"));
  Builder b("net");
  b.output("y", b.add("fc", ops::linear({.out = ValueChoice<int64_t>("w", {4, 8})}),
                      {b.input("x", {3})}));
  const Graph space = b.finish();
  EXPECT_THAT(error_of([&] { freeze(space, {{"w", {{2}}}}); }), HasSubstr("'w': index 2"));
  EXPECT_THAT(error_of([&] {
                freeze(space, {{"w", {{0, 1}}}});
              }),
              HasSubstr("'w' needs one chosen option, got 2"));
  EXPECT_THAT(error_of([&] { freeze(space, {}); }), HasSubstr("decides nothing for 'w'"));
}

TEST(Freeze, RefusesAPlaceholder) {
  Builder b("net");
  b.output("y", b.placeholder("block", {.label = "m", .shape = {8}}, {b.input("x", {4})}));
  EXPECT_THAT(error_of([&] { freeze(b.finish(), {}); }),
              HasSubstr("'block' is a placeholder: apply graph mutators"));
}

TEST(Canonical, DropsTheLabelsThatNothingReaches) {
  const Graph space = every_choice_space();
  EXPECT_EQ(canonical(space, kEveryChoice), (Architecture{{"first", {{0}}},
                                                          {"one", {{0}}},
                                                          {"mean", {{0, 1}}},
                                                          {"wide", {{0, 1}}},
                                                          {"any", {{1}}}}));
  const Architecture deep = canonical(space, [] {
    Architecture changed = with("mean", {0, 2});
    changed["second"] = {{0}};
    return changed;
  }());
  EXPECT_FALSE(deep.contains("second/deep/inner"));
  EXPECT_TRUE(deep.contains("second/deep/join"));
  EXPECT_TRUE(deep.contains("first"));
}

TEST(Canonical, SelectsTheSameModelAndIsItsOwnCanonicalForm) {
  const Graph space = every_choice_space();
  const std::vector<Mutable> choices = mutables(space);
  Random random(1);
  std::map<Architecture, Graph> models;
  for (int i = 0; i < 200; ++i) {
    const Architecture architecture = random_architecture_of(choices, random);
    const Architecture reduced = canonical(space, architecture);
    const Graph model = freeze(space, architecture);
    ASSERT_EQ(freeze(space, reduced), model) << architecture.to_string();
    ASSERT_EQ(canonical(space, reduced), reduced);
    const auto [found, is_new] = models.emplace(reduced, model);
    ASSERT_TRUE(is_new || found->second == model);
  }
  EXPECT_GT(models.size(), 50);
}

TEST(Canonical, KeepsTheLabelsThatDecideTheShapeOfZeros) {
  Builder b("net");
  const Wire x = b.input("x", {3, 4, 4});
  const Wire conv = b.add("conv", ops::conv2d({.out = ValueChoice<int64_t>("w", {2, 5})}), {x});
  const Wire any = b.input_choice("any", {conv}, {.n_chosen = std::nullopt});
  b.output("y", b.add("pooled", ops::global_mean(), {any}));
  const Graph space = b.finish();
  const Architecture nothing = {{"w", {{1}}}, {"any", {}}};
  EXPECT_EQ(canonical(space, nothing), nothing);
  const Graph model = freeze(space, nothing);
  EXPECT_EQ(to_string(infer(model).at(model.outputs().front().wire.node)), "[5]");
}

TEST(Canonical, DropsValueChoicesThatAnotherOneLeavesOut) {
  Builder b("net");
  const Expression out =
      Expression::choice("kind", {Expression(Json(4)), ValueChoice<int64_t>("w", {6, 8})});
  b.output("y", b.add("fc", ops::linear({.out = out}), {b.input("x", {3})}));
  const Graph space = b.finish();
  EXPECT_EQ(canonical(space, {{"kind", {{0}}}, {"w", {{1}}}}), (Architecture{{"kind", {{0}}}}));
  EXPECT_EQ(freeze(space, {{"kind", {{0}}}}), freeze(space, {{"kind", {{0}}}, {"w", {{1}}}}));
  const Architecture nested = {{"kind", {{1}}}, {"w", {{1}}}};
  EXPECT_EQ(canonical(space, nested), nested);
  EXPECT_THAT(error_of([&] {
                freeze(space, {{"kind", {{1}}}});
              }),
              HasSubstr("decides nothing for 'w'"));
}

TEST(Freeze, GivesTheLogitsOfTheSupernetsPathForEveryArchitecture) {
  const Graph space = every_choice_space();
  Network supernet(space, 1);
  randomise(*supernet, 2);
  AppliedMutator mutator(*supernet);
  const at::NoGradGuard no_grad;
  const at::Tensor batch = normal_tensor({4, 3, 7, 5}, 3);
  std::set<std::string> supernet_names;
  for (const auto& item : supernet->named_parameters()) {
    supernet_names.insert(item.key());
  }
  Random random(4);
  for (int i = 0; i < 60; ++i) {
    const Architecture architecture = random_architecture_of(mutator.mutables(), random);
    Network frozen(freeze(space, architecture), 5);
    frozen->to(at::kDouble);
    for (const auto& item : frozen->named_parameters()) {
      ASSERT_TRUE(supernet_names.count(item.key())) << item.key();
    }
    for (const bool training : {false, true}) {
      load_by_name(*frozen, *supernet);
      frozen->train(training);
      supernet->train(training);
      mutator.apply(architecture);
      ASSERT_TRUE(at::allclose(frozen->forward(batch), supernet->forward(batch), 1e-12, 1e-12))
          << architecture.to_string();
    }
  }
}

}  // namespace
}  // namespace retia::ir
