#include "retia/engine/operations/elastic_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <torch/autograd.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/operations/attention.h"
#include "retia/engine/operations/gate.h"
#include "retia/engine/operations/layer_norm.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/blend_mutator.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/trainers/score.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Dim choice(const std::string& label, std::initializer_list<int64_t> values) {
  return ValueChoice<int64_t>(label, values);
}

/// A net whose sizes are choices, and the sizes of its input.
struct Case {
  std::string name;
  std::vector<int64_t> input;
  std::function<Wire(Builder&, Wire)> write;

  ir::Graph graph() const {
    Builder b(name);
    b.output("y", write(b, b.input("x", {input.begin(), input.end()})));
    return b.finish();
  }
};

Wire chain(Builder& b, Wire x, const std::vector<ir::Operation>& operations) {
  for (size_t i = 0; i < operations.size(); ++i) {
    x = b.add("op" + std::to_string(i), operations[i], {x});
  }
  return x;
}

Case chain_case(const std::string& name, const std::vector<int64_t>& input,
                const std::vector<ir::Operation>& operations) {
  return {name, input, [operations](Builder& b, Wire x) { return chain(b, x, operations); }};
}

std::vector<Case> cases() {
  const Dim w = choice("w", {2, 3, 5}), v = choice("v", {4, 2});
  const Dim kernel = choice("kernel", {3, 1, 5}), wide = choice("wide", {8, 4});
  const Dim even = choice("even", {4, 2});
  const ir::Operation first = ops::conv2d({.out = w, .kernel = 1});
  const ir::Operation last = ops::conv2d({.out = 3, .kernel = 1, .bias = true});
  std::vector<Case> all = {
      chain_case("linear", {6}, {ops::linear({.out = w}), ops::relu(), ops::linear({.out = 4})}),
      chain_case("linear_expressions", {6},
                 {ops::linear({.out = w * 2}), ops::tanh(),
                  ops::linear({.out = floor_div(w, 2) + 1, .bias = false}), ops::linear({.out = v}),
                  ops::linear({.out = 2})}),
      chain_case("conv2d", {3, 7, 6},
                 {ops::conv2d({.out = w, .kernel = kernel, .bias = true}), ops::relu(),
                  ops::conv2d({.out = v, .kernel = kernel, .stride = 2}), ops::avg_pool2d(), last}),
      chain_case("conv2d_dilated", {2, 7, 9},
                 {ops::conv2d({.out = 3, .kernel = kernel, .dilation = 2})}),
      chain_case("conv2d_padded", {2, 8, 8},
                 {ops::conv2d({.out = 3, .kernel = kernel, .padding = floor_div(kernel, 2)})}),
      chain_case(
          "conv2d_unpadded_even", {2, 8, 8},
          {ops::conv2d({.out = w, .kernel = even, .stride = 2, .padding = floor_div(even, 2) - 1}),
           last}),
      chain_case("depthwise", {3, 5, 5},
                 {first, ops::conv2d({.kernel = kernel, .depthwise = true, .bias = true}), last}),
      chain_case("groups", {3, 5, 5},
                 {ops::conv2d({.out = wide}),
                  ops::conv2d({.out = wide * 2, .kernel = kernel, .groups = floor_div(wide, 2)}),
                  ops::conv2d({.out = 4, .kernel = 1})}),
      chain_case("batch_norm", {3, 5, 5},
                 {first, ops::batch_norm(), ops::relu(), last, ops::batch_norm({.affine = false})}),
      chain_case("layer_norm", {3, 4, 5}, {first, ops::layer_norm(), ops::silu(), last}),
      chain_case("layer_norm_plain", {7},
                 {ops::linear({.out = wide}), ops::layer_norm({.affine = false}),
                  ops::linear({.out = 3})}),
      chain_case(
          "attention", {3, 2, 3},
          {ops::conv2d({.out = wide, .kernel = 1}),
           ops::attention(
               {.out = w, .width = choice("inner", {12, 4}), .heads = choice("heads", {2, 4, 1})}),
           last}),
      chain_case("attention_heads_of_one_width", {4, 5},
                 {ops::attention({.out = 3, .width = wide, .heads = floor_div(wide, 4)})}),
      chain_case("flatten", {3, 2, 3},
                 {first, ops::batch_norm(), ops::flatten(), ops::linear({.out = 4})}),
      chain_case("nested_options", {3, 4, 4},
                 {ops::conv2d({.out = ir::Expression::choice(
                                   "outer", {(w * 2).expression(), ir::Expression(Json(3)),
                                             v.expression()})}),
                  ops::batch_norm(), last})};
  all.push_back(
      {"concat", {3, 4, 4}, [=](Builder& b, Wire x) {
         const Wire a = b.add("a", ops::conv2d({.out = w}), {x});
         const Wire c = b.add("c", ops::conv2d({.out = v, .kernel = 1}), {x});
         Wire y = b.add("concat", ops::concat(), {a, x, c});
         y = chain(b, y,
                   {ops::batch_norm(), ops::relu(),
                    ops::conv2d({.kernel = kernel, .depthwise = true}), ops::layer_norm()});
         y = b.add("mid", last, {y});
         const Wire flat = b.add("flat", ops::flatten(), {b.add("again", ops::concat(), {y, a})});
         return b.add("head", ops::linear({.out = 2}), {flat});
       }});
  all.push_back(
      {"choices_around", {3, 4, 4}, [=](Builder& b, Wire x) {
         const Wire stem = b.add("stem", first, {x});
         const Wire op = b.layer_choice(
             "op",
             {{"conv", ops::conv2d({.out = w, .kernel = kernel})},
              {"norm", [](Builder& c, Wire y) { return c.add("bn", ops::batch_norm(), {y}); }},
              {"none", ops::zero()},
              {"skip", ops::identity()}},
             {stem});
         const Wire both = b.input_choice("both", {stem, op}, {.n_chosen = 2});
         const Wire any = b.input_choice("any", {both, op}, {.n_chosen = std::nullopt});
         const Wire sum = b.add("sum", ops::add(), {any, both});
         return b.add("head", ops::linear({.out = 2}), {b.add("mean", ops::global_mean(), {sum})});
       }});
  return all;
}

class Elastic : public testing::TestWithParam<Case> {
 protected:
  Elastic() : graph_(GetParam().graph()), supernet_(graph_, 1) { randomise(*supernet_, 2); }

  at::Tensor input() const {
    std::vector<int64_t> sizes = GetParam().input;
    sizes.insert(sizes.begin(), 4);
    return normal_tensor(sizes, 3);
  }

  /// A number that every output has a part in.
  static at::Tensor loss_of(const at::Tensor& y) {
    return (y * normal_tensor({y.numel()}, 4).view(y.sizes())).sum();
  }

  std::vector<Architecture> some_architectures(size_t n) const {
    Random random(5);
    std::vector<Architecture> some;
    while (some.size() < n) {
      some.push_back(random_architecture_of(ir::mutables(graph_), random));
    }
    return some;
  }

  /// The gradients of `from`, in a supernet in the place of its weights.
  Network gradients_of(const Network& from) const {
    const at::NoGradGuard no_grad;
    Network result(graph_, 1);
    result->to(at::kDouble);
    auto targets = result->named_parameters();
    for (const auto& item : from->named_parameters()) {
      const at::Tensor& gradient = item.value().grad();
      targets[item.key()].copy_(gradient.defined() ? gradient : at::zeros_like(item.value()));
    }
    return result;
  }

  ir::Graph graph_;
  Network supernet_;
};

TEST_P(Elastic, RunsTheFrozenModelOnItsPartsOfTheWeightsForwardAndBackward) {
  AppliedMutator mutator(*supernet_);
  for (const Architecture& architecture : some_architectures(12)) {
    SCOPED_TRACE(architecture.to_string());
    mutator.apply(architecture);
    Network frozen = inherit(supernet_, architecture);
    const at::Tensor y = supernet_->forward(input()), expected = frozen->forward(input());
    ASSERT_EQ(y.sizes(), expected.sizes());
    EXPECT_LT((y - expected).abs().max().item<double>(), 1e-11);
    supernet_->zero_grad();
    loss_of(y).backward();
    loss_of(expected).backward();
    // Each gradient lands in its part, and nowhere else.
    const Network gradients = gradients_of(supernet_);
    const NamedTensors parts = weights_of(gradients, architecture);
    double inside = 0, all = 0;
    for (const auto& item : frozen->named_parameters()) {
      const at::Tensor gradient =
          item.value().grad().defined() ? item.value().grad() : at::zeros_like(item.value());
      EXPECT_TRUE(at::allclose(parts.at(item.key()), gradient, 1e-9, 1e-9)) << item.key();
      inside += gradient.abs().sum().item<double>();
    }
    for (const at::Tensor& gradient : gradients->parameters()) {
      all += gradient.abs().sum().item<double>();
    }
    EXPECT_NEAR(inside, all, 1e-9 * (1 + all));
    // What batch normalisation has learnt, too.
    const NamedTensors learnt = weights_of(supernet_, architecture);
    for (const auto& item : frozen->named_buffers()) {
      EXPECT_TRUE(at::allclose(learnt.at(item.key()), item.value(), 1e-12, 1e-12)) << item.key();
    }
  }
}

TEST_P(Elastic, BlendsToTheSampledPathWhereOneOptionHasAllTheWeight) {
  for (const Architecture& architecture : some_architectures(6)) {
    SCOPED_TRACE(architecture.to_string());
    at::Tensor expected;
    {
      AppliedMutator sampled(*supernet_);
      sampled.apply(architecture);
      supernet_->eval();
      expected = supernet_->forward(input());
    }
    BlendMutator blended(*supernet_);
    Architecture values_only = architecture;
    for (const Mutable& choice : blended.mutables()) {
      if (choice.kind == MutableKind::ValueChoice) {
        values_only[choice.label] = blended.current().at(choice.label);
      }
    }
    blended.apply(values_only);
    for (const Mutable& choice : blended.mutables()) {
      if (choice.kind == MutableKind::ValueChoice) {
        blended.weigh(choice.label, architecture);
      }
    }
    EXPECT_LT((supernet_->forward(input()) - expected).abs().max().item<double>(), 1e-11);
  }
}

TEST_P(Elastic, HasTheGradientsOfTheWeightsOfOptionsThatFiniteDifferencesGive) {
  BlendMutator mutator(*supernet_);
  std::vector<at::Tensor> weights;
  for (const Mutable& choice : mutator.mutables()) {
    if (choice.kind != MutableKind::ValueChoice) {
      mutator.weigh(choice.label, at::full({choice.n_candidates()}, 0.7, at::kDouble));
      continue;
    }
    weights.push_back(
        normal_tensor({choice.n_candidates()}, 6 + weights.size()).softmax(0).requires_grad_());
    mutator.weigh(choice.label, weights.back());
  }
  ASSERT_FALSE(weights.empty());
  const auto loss = [&] { return loss_of(supernet_->forward(input())); };
  const std::vector<at::Tensor> gradients = torch::autograd::grad({loss()}, weights);
  constexpr double kStep = 1e-5;
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < weights.size(); ++i) {
    for (int64_t k = 0; k < weights[i].size(0); ++k) {
      weights[i][k] += kStep;
      const auto above = loss().item<double>();
      weights[i][k] -= 2 * kStep;
      const auto below = loss().item<double>();
      weights[i][k] += kStep;
      const auto found = gradients[i][k].item<double>();
      EXPECT_NEAR(found, (above - below) / (2 * kStep), 1e-5 * (1 + std::abs(found)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Elastic, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

/// What is wrong with a supernet of `write` on an input of these sizes.
std::string refusal(const std::vector<int64_t>& input, std::function<Wire(Builder&, Wire)> write) {
  return error_of([&] { Network(Case{"net", input, std::move(write)}.graph(), 1); });
}

std::string refusal(const std::vector<int64_t>& input,
                    const std::vector<ir::Operation>& operations) {
  return refusal(input, [&](Builder& b, Wire x) { return chain(b, x, operations); });
}

TEST(ElasticLayer, RefusesWhatSharesNoWeightsNamingNodeAndOption) {
  const Dim two = choice("two", {1, 2}), w = choice("w", {4, 8});
  EXPECT_THAT(refusal({2, 8, 8}, {ops::conv2d({.stride = two})}),
              AllOf(HasSubstr("node 'op0'"), HasSubstr("option 'stride' of conv2d"),
                    HasSubstr("two{1,2}"), HasSubstr("retia explore")));
  EXPECT_THAT(refusal({2, 8, 8}, {ops::conv2d({.dilation = two})}),
              HasSubstr("option 'dilation' of conv2d"));
  EXPECT_THAT(refusal({2, 8, 8}, {ops::conv2d({.padding = two})}),
              AllOf(HasSubstr("node 'op0'"), HasSubstr("padding two{1,2} are not centred alike")));
  EXPECT_THAT(refusal({2, 8, 8}, {ops::conv2d({.kernel = choice("k", {3, 4})})}),
              AllOf(HasSubstr("node 'op0'"), HasSubstr("only the first size may be a choice")));
  EXPECT_THAT(refusal({2, 8, 8}, {ops::max_pool2d({.kernel = choice("k", {3, 5})})}),
              HasSubstr("option 'kernel' of max_pool2d"));
  EXPECT_THAT(
      refusal({8, 8, 8}, {ops::conv2d({.groups = two})}),
      AllOf(HasSubstr("node 'op0'"), HasSubstr("groups two{1,2} are in no constant ratio")));
  EXPECT_THAT(refusal({8, 8, 8}, {ops::conv2d({.out = w}), ops::conv2d({.out = 8, .groups = 2})}),
              AllOf(HasSubstr("node 'op1'"), HasSubstr("in no constant ratio to channels w{4,8}")));
  EXPECT_THAT(refusal({8, 8, 8}, {ops::conv2d({.out = w}), ops::shuffle()}),
              AllOf(HasSubstr("node 'op1'"), HasSubstr("w{4,8} is not decided")));
  EXPECT_THAT(refusal({8, 8, 8}, {ops::conv2d({.out = w}), ops::split()}),
              AllOf(HasSubstr("node 'op1'"), HasSubstr("w{4,8} is not decided")));
}

TEST(ElasticLayer, RefusesChannelsThatAreCutInDifferentPlaces) {
  const Dim w = choice("w", {4, 8});
  const auto joined = [=](Builder& b, Wire x) {
    const Wire a = b.add("a", ops::conv2d({.out = w}), {x});
    return b.add("joined", ops::concat(), {a, a});
  };
  EXPECT_THAT(refusal({2, 4, 4},
                      [=](Builder& b, Wire x) {
                        const Wire other = b.add("other", ops::conv2d({.out = 2 * w}), {x});
                        return b.add("sum", ops::add(), {joined(b, x), other});
                      }),
              AllOf(HasSubstr("node 'sum'"), HasSubstr("that a supernet cuts alike")));
  EXPECT_THAT(refusal({2, 4, 4},
                      [=](Builder& b, Wire x) {
                        const Wire other = b.add("other", ops::conv2d({.out = 2 * w}), {x});
                        const Wire mean = b.add("mean", ops::global_mean(), {other});
                        return b.add("scaled", ops::scale(), {joined(b, x), mean});
                      }),
              AllOf(HasSubstr("node 'scaled'"), HasSubstr("that a supernet cuts alike")));
  EXPECT_THAT(refusal({2, 4, 4},
                      [=](Builder& b, Wire x) {
                        return b.add("grouped", ops::conv2d({.groups = w}), {joined(b, x)});
                      }),
              AllOf(HasSubstr("node 'grouped'"), HasSubstr("were joined")));
  EXPECT_THAT(
      refusal({2, 4, 4},
              [=](Builder& b, Wire x) {
                return b.layer_choice("op",
                                      {{"one", ops::conv2d({.out = w})},
                                       {"other", ops::conv2d({.out = choice("v", {4, 8})})}},
                                      {x});
              }),
      AllOf(HasSubstr("node 'op' chooses by 'op'"), HasSubstr("w{4,8}"), HasSubstr("v{4,8}"),
            HasSubstr("one value choice decide both")));
}

TEST(ElasticLayer, LeavesLayersOfDecidedSizesAsTheyAre) {
  Builder b("net");
  const Wire x = b.input("x", {3, 4, 4});
  b.output("y", chain(b, x,
                      {ops::conv2d({.out = 2}), ops::batch_norm(), ops::flatten(),
                       ops::linear({.out = 2})}));
  const Network network(b.finish(), 1);
  for (const auto& module : network->modules()) {
    const auto elastic = std::dynamic_pointer_cast<ElasticLayer>(module);
    EXPECT_TRUE(!elastic || elastic->labels().empty());
  }
}

}  // namespace
}  // namespace retia
