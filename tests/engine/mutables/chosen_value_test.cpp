#include "retia/engine/mutables/chosen_value.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/applied_mutator.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A module of a user's that scales by a chosen factor, where a chosen flag says so.
class ScaledImpl : public torch::nn::Module {
 public:
  ScaledImpl()
      : factor(register_module("factor", ChosenValue(std::vector<Json>{0.5, 3}))),
        active(register_module("active", ChosenValue(std::vector<Json>{false, true}, "flag"))) {}
  at::Tensor forward(const at::Tensor& x) {
    return active->value() == true ? x * factor->as_double() : x;
  }
  ChosenValue factor, active;
};
TORCH_MODULE(Scaled);

TEST(ChosenValue, IsReadInTheForwardPassOfAPlainModule) {
  Scaled model;
  AppliedMutator mutator(*model);
  ASSERT_EQ(mutator.mutables().size(), 2);
  EXPECT_EQ(mutator.mutables()[0].label, "factor");
  EXPECT_EQ(mutator.mutables()[0].kind, MutableKind::ValueChoice);
  EXPECT_THAT(mutator.mutables()[0].names, ElementsAre("0.5", "3"));
  const at::Tensor x = at::ones({2}, at::kDouble);
  mutator.apply({{"factor", {{1}}}, {"flag", {{1}}}});
  EXPECT_EQ(model(x).sum().item<double>(), 6);
  EXPECT_EQ(model->factor->as_int(), 3);
  mutator.apply({{"factor", {{0}}}, {"flag", {{1}}}});
  EXPECT_EQ(model(x).sum().item<double>(), 1);
  mutator.apply({{"factor", {{0}}}, {"flag", {{0}}}});
  EXPECT_EQ(model(x).sum().item<double>(), 2);
}

TEST(ChosenValue, SharesTheDecisionOfItsLabel) {
  struct TwiceImpl : torch::nn::Module {
    TwiceImpl()
        : a(register_module("a", ChosenValue(std::vector<Json>{"x", "y"}, "letter"))),
          b(register_module("b", ChosenValue(std::vector<Json>{"x", "y"}, "letter"))) {}
    ChosenValue a, b;
  };
  const auto model = std::make_shared<TwiceImpl>();
  AppliedMutator mutator(*model);
  EXPECT_EQ(mutator.mutables().size(), 1);
  mutator.apply({{"letter", {{1}}}});
  EXPECT_EQ(model->a->value(), "y");
  EXPECT_EQ(model->b->value(), "y");
}

TEST(ChosenValue, RefusesABlendAndNoMutator) {
  ChosenValue value(std::vector<Json>{1, 2}, "width");
  EXPECT_THAT(error_of([&] { value->value(); }),
              HasSubstr("value choice 'width' ran without a mutator"));
  AppliedMutator mutator(*value);
  mutator.apply({{"width", {{0, 1}}}});
  EXPECT_THAT(error_of([&] { value->value(); }),
              HasSubstr("'width' has 2 chosen values, and a blend of values is none"));
}

TEST(ChosenValue, RefusesValuesThatAreNoneOrNotDistinct) {
  const auto error = [](std::vector<Json> values) {
    return error_of([&] { ChosenValue(values, "v"); });
  };
  EXPECT_THAT(error({}), HasSubstr("'v' needs at least one value"));
  EXPECT_THAT(error({1, 1}), HasSubstr("'v' has 1 twice"));
  EXPECT_THAT(error({Json::array({1})}), HasSubstr("expected numbers, bools or texts, got [1]"));
  EXPECT_THAT(error({nullptr}), HasSubstr("got null"));
}

}  // namespace
}  // namespace retia
