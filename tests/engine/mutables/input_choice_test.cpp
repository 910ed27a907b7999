#include "retia/engine/mutables/input_choice.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/mutables/mutator.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/tests/engine/applied_mutator.h"
#include "retia/tests/engine/mutables/scale.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

at::Tensor row(std::vector<double> values) {
  const auto n = static_cast<int64_t>(values.size());
  return at::tensor(values, at::kDouble).view({1, n});
}

const std::vector<at::Tensor>& three_rows() {
  static const std::vector<at::Tensor> rows = {row({1, 2}), row({10, 20}), row({100, 200})};
  return rows;
}

at::Tensor joined(const InputChoiceModuleOptions& options, std::vector<int64_t> chosen) {
  InputChoice pick(options);
  AppliedMutator mutator(*pick);
  mutator.apply({{options.label, {std::move(chosen)}}});
  return pick->forward(three_rows());
}

TEST(InputChoice, SumsAveragesOrConcatenatesWhatIsChosen) {
  const auto options = [](Reduction reduction, std::optional<int64_t> n_chosen) {
    return InputChoiceModuleOptions{
        .n_candidates = 3, .n_chosen = n_chosen, .reduction = reduction, .label = "pick"};
  };
  EXPECT_TRUE(at::equal(joined(options(Reduction::Sum, 2), {0, 2}), row({101, 202})));
  EXPECT_TRUE(at::equal(joined(options(Reduction::Mean, 2), {0, 1}), row({5.5, 11})));
  EXPECT_TRUE(at::equal(joined(options(Reduction::Concat, 2), {1, 2}), row({10, 20, 100, 200})));
  EXPECT_TRUE(at::equal(joined(options(Reduction::Mean, 1), {2}), row({100, 200})));
  EXPECT_TRUE(at::equal(joined(options(Reduction::Sum, std::nullopt), {0, 1, 2}), row({111, 222})));
  EXPECT_TRUE(at::equal(joined(options(Reduction::Sum, std::nullopt), {}), row({0, 0})));
  EXPECT_TRUE(at::equal(joined(options(Reduction::Mean, 0), {}), row({0, 0})));
}

TEST(InputChoice, HandsOutWhatIsChosenWhereItIsNotReduced) {
  InputChoice pick(InputChoiceModuleOptions{
      .n_candidates = 3, .n_chosen = std::nullopt, .reduction = Reduction::None, .label = "pick"});
  AppliedMutator mutator(*pick);
  mutator.apply({{"pick", {{0, 2}}}});
  const std::vector<at::Tensor> chosen = pick->select(three_rows());
  ASSERT_EQ(chosen.size(), 2);
  EXPECT_TRUE(chosen[0].is_same(three_rows()[0]));
  EXPECT_TRUE(chosen[1].is_same(three_rows()[2]));
  EXPECT_THAT(error_of([&] { pick->forward(three_rows()); }), HasSubstr("call select()"));
  mutator.apply({{"pick", {}}});
  EXPECT_TRUE(pick->select(three_rows()).empty());
}

TEST(InputChoice, DoesNotReadWhatIsNotChosen) {
  InputChoice pick(
      InputChoiceModuleOptions{.n_candidates = 3, .n_chosen = std::nullopt, .label = "pick"});
  AppliedMutator mutator(*pick);
  mutator.apply({{"pick", {{1}}}});
  EXPECT_TRUE(at::equal(pick->forward({at::Tensor(), row({1}), at::Tensor()}), row({1})));
  mutator.apply({{"pick", {}}});
  EXPECT_TRUE(at::equal(pick->forward({at::Tensor(), row({1}), at::Tensor()}), row({0})));
  EXPECT_THAT(error_of([&] {
                pick->forward({at::Tensor(), at::Tensor(), at::Tensor()});
              }),
              HasSubstr("'pick'"));
}

TEST(InputChoice, WantsOneTensorPerCandidate) {
  InputChoice pick(InputChoiceModuleOptions{.n_candidates = 3, .label = "pick"});
  AppliedMutator mutator(*pick);
  mutator.apply({{"pick", {{0}}}});
  EXPECT_THAT(error_of([&] {
                pick->forward({row({1}), row({2})});
              }),
              HasSubstr("'pick' expected 3 inputs, got 2"));
  EXPECT_THAT(error_of([&] { pick->select({}); }), HasSubstr("expected 3 inputs, got 0"));
}

TEST(InputChoice, NamesItsCandidates) {
  EXPECT_THAT(InputChoice(InputChoiceModuleOptions{.n_candidates = 3})->info().names,
              ElementsAre("0", "1", "2"));
  EXPECT_THAT(InputChoice(InputChoiceModuleOptions{.n_candidates = 2, .names = {"stem", "body"}})
                  ->info()
                  .names,
              ElementsAre("stem", "body"));
}

/// A module of a user's whose choice names what it chooses from.
class KeyedImpl : public torch::nn::Module {
 public:
  explicit KeyedImpl(std::vector<std::string> keys)
      : first(register_module("first", Scale(2))),
        second(register_module(
            "second",
            LayerChoice(std::vector<NamedCandidate>{{"x5", Scale(5)}, {"x7", Scale(7)}}, "op"))),
        pick(register_module("pick", InputChoice(InputChoiceModuleOptions{
                                         .n_chosen = 2, .choose_from = std::move(keys)}))),
        last(register_module("last", Scale(11))) {}
  at::Tensor forward(const at::Tensor& x) {
    return pick->forward(
        pick->ordered({{"2", x}, {"op", second->forward(x)}, {"first", first(x)}}));
  }
  Scale first;
  LayerChoice second;
  InputChoice pick;
  Scale last;
};
TORCH_MODULE(Keyed);

TEST(InputChoice, ChoosesByKeysFromAMap) {
  Keyed model(std::vector<std::string>{"first", "op", ""});
  AppliedMutator mutator(*model);
  const Mutable& pick = mutator.mutable_of("pick");
  EXPECT_THAT(pick.names, ElementsAre("first", "op", "2"));
  EXPECT_THAT(pick.fed_by, ElementsAre("", "op", ""));
  mutator.apply({{"op", {{1}}}, {"pick", {{0, 1}}}});
  EXPECT_TRUE(at::equal(model(row({1, 10})), row({9, 90})));
  mutator.apply({{"op", {{0}}}, {"pick", {{1, 2}}}});
  EXPECT_TRUE(at::equal(model(row({1, 10})), row({6, 60})));
  EXPECT_EQ(choices_to_json(mutator.current(), mutator.mutables()).dump(),
            R"({"op":"x5","pick":["op","2"]})");
}

TEST(InputChoice, WantsATensorOfEveryNameInAMapAndNoOther) {
  InputChoice pick(InputChoiceModuleOptions{.label = "pick", .choose_from = {"stem", "body"}});
  EXPECT_THAT(error_of([&] {
                pick->ordered({{"stem", row({1})}, {"bodi", row({1})}});
              }),
              HasSubstr("'pick' has no candidate 'bodi'; did you mean 'body'?"));
  EXPECT_THAT(error_of([&] {
                pick->ordered({{"stem", row({1})}});
              }),
              HasSubstr("expected a tensor for its candidate 'body'"));
}

TEST(InputChoice, RefusesKeysThatNameNothingBeforeIt) {
  const auto error = [](std::vector<std::string> keys) {
    Keyed model(std::move(keys));
    return error_of([&] { AppliedMutator mutator(*model); });
  };
  EXPECT_EQ(error({"first", "second"}), "(no error)");
  EXPECT_THAT(error({"first", "last"}),
              HasSubstr("'pick': the key 'last' names no choice or module before it"));
  EXPECT_THAT(error({"first", "frist"}), HasSubstr("did you mean 'first'?"));
  EXPECT_THAT(error({"first", "pick"}), HasSubstr("the key 'pick' names no"));
}

TEST(InputChoice, RefusesOptionsThatMeanNothing) {
  const auto error = [](const InputChoiceModuleOptions& options) {
    return error_of([&] { InputChoice{options}; });
  };
  EXPECT_THAT(error({}), HasSubstr("at least one candidate, got 0"));
  EXPECT_THAT(error({.n_candidates = 2, .n_chosen = 3, .label = "pick"}),
              HasSubstr("'pick': n_chosen 3 is outside 0 to 2"));
  EXPECT_THAT(error({.n_candidates = 2, .n_chosen = -1}), HasSubstr("n_chosen -1"));
  EXPECT_THAT(error({.n_candidates = 2, .names = {"a", "b", "c"}}),
              HasSubstr("expected 2 names, got 3"));
  EXPECT_THAT(error({.n_candidates = 3, .choose_from = {"a", "b"}}),
              HasSubstr("a key in choose_from for each of 3 candidates, got 2"));
  EXPECT_THAT(error({.names = {"a", "b"}, .choose_from = {"a", "b"}}),
              HasSubstr("either names or choose_from"));
  EXPECT_THAT(error({.n_candidates = 2, .names = {"a"}}), HasSubstr("expected 2 names, got 1"));
  EXPECT_THAT(error({.n_candidates = 2, .n_chosen = std::nullopt, .reduction = Reduction::Concat}),
              HasSubstr("concat needs a fixed number"));
  EXPECT_THAT(error({.n_candidates = 2, .n_chosen = 0, .reduction = Reduction::Concat}),
              HasSubstr("concat needs a fixed number"));
}

TEST(InputChoice, RefusesToRunWithoutAMutatorAndToBeCloned) {
  InputChoice pick(InputChoiceModuleOptions{.n_candidates = 3, .label = "pick"});
  EXPECT_THAT(error_of([&] { pick->forward(three_rows()); }),
              HasSubstr("input choice 'pick' ran without a mutator"));
  EXPECT_THAT(error_of([&] { pick->clone(); }), HasSubstr("input choice 'pick' cannot be cloned"));
}

TEST(Reduce, JoinsAtLeastOneTensor) {
  EXPECT_TRUE(reduce(Reduction::Sum, three_rows()[0]).is_same(three_rows()[0]));
  EXPECT_TRUE(at::equal(reduce(Reduction::Mean, three_rows()), row({37, 74})));
  EXPECT_THAT(error_of([] { reduce(Reduction::Sum, {}); }), HasSubstr("expected tensors"));
  EXPECT_THAT(error_of([] { reduce(Reduction::None, three_rows()); }), HasSubstr("a way to join"));
}

}  // namespace
}  // namespace retia
