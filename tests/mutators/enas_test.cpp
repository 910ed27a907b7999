#include "retia/mutators/enas.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>
#include <set>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/mutators/chi_square.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;

std::vector<ir::CandidateWriter> three_candidates() {
  return {{"relu", ops::relu()}, {"skip", ops::identity()}, {"max", ops::max_pool2d()}};
}

/// Layers as in the macro space of ENAS, of three operations; the last one reads two of the outputs
/// so far.
ir::Graph chain_space() {
  Builder b("chain");
  const Wire stem = b.add("stem", ops::conv2d({.out = 2}), {b.input("x", {2, 4, 4})});
  const Wire layer0 = [&] {
    const auto scope = b.scope("layer0");
    return b.layer_choice("op", three_candidates(), {stem});
  }();
  const Wire layer1 = [&] {
    const auto scope = b.scope("layer1");
    const Wire op = b.layer_choice("op", three_candidates(), {layer0});
    const Wire skip = b.input_choice("skip", {stem, layer0},
                                     {.n_chosen = std::nullopt, .names = {"stem", "layer0"}});
    return b.add("sum", ops::add(), {op, skip});
  }();
  b.output("y", b.input_choice("last", {stem, layer0, layer1},
                               {.n_chosen = 2, .names = {"stem", "layer0", "layer1"}}));
  return b.finish();
}

/// All architectures of `mutables`.
std::vector<Architecture> enumerate(const std::vector<Mutable>& mutables) {
  std::vector<Architecture> all = {{}};
  for (const Mutable& choice : mutables) {
    std::vector<Architecture> longer;
    for (uint64_t bits = 0; bits < 1u << choice.names.size(); ++bits) {
      std::vector<int64_t> chosen;
      for (int64_t k = 0; k < choice.n_candidates(); ++k) {
        if ((bits >> k & 1) == 1) {
          chosen.push_back(k);
        }
      }
      if (choice.n_chosen && static_cast<int64_t>(chosen.size()) != *choice.n_chosen) {
        continue;
      }
      for (Architecture architecture : all) {
        architecture[choice.label].chosen = chosen;
        longer.push_back(architecture);
      }
    }
    all = longer;
  }
  return all;
}

class EnasMutatorOnChain : public testing::Test {
 protected:
  EnasMutatorOnChain() { network_->to(at::kDouble); }

  EnasMutator& mutator() {
    if (!mutator_) {
      mutator_ = std::make_unique<EnasMutator>(
          *network_, EnasMutatorOptions{.lstm_size = 4,
                                        .tanh_constant = 2.5,
                                        .cell_exit_extra_step = extra_step_,
                                        .seed = 3});
      const at::NoGradGuard no_grad;
      for (at::Tensor& parameter : mutator_->parameters()) {
        parameter.mul_(12);  // so that probabilities are far from equal
      }
    }
    return *mutator_;
  }
  at::Tensor parameter(const std::string& name) { return mutator().named_parameters()[name]; }

  Network network_{chain_space(), 1};
  std::unique_ptr<EnasMutator> mutator_;
  bool extra_step_ = false;
  const Architecture some_ = {
      {"layer0/op", {{2}}}, {"layer1/op", {{0}}}, {"layer1/skip", {{0, 1}}}, {"last", {{0, 2}}}};
};

TEST_F(EnasMutatorOnChain, GivesEveryArchitectureItsProbability) {
  const at::NoGradGuard no_grad;
  const std::vector<Architecture> all = enumerate(mutator().mutables());
  ASSERT_EQ(all.size(), 3 * 3 * 4 * 3);
  double total = 0, entropy = 0, expected = 0, least = 1, most = 0;
  for (const Architecture& architecture : all) {
    mutator().apply(architecture);
    const auto log_p = mutator().log_prob().item<double>();
    const double p = std::exp(log_p);
    total += p;
    entropy -= p * log_p;
    expected += p * mutator().entropy().item<double>();
    least = std::min(least, p);
    most = std::max(most, p);
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_NEAR(expected, entropy, 1e-12);
  EXPECT_GT(most, 20 * least);
}

TEST_F(EnasMutatorOnChain, SamplesArchitecturesAsOftenAsTheirProbabilitiesSay) {
  const at::NoGradGuard no_grad;
  std::map<Architecture, double> probabilities;
  for (const Architecture& architecture : enumerate(mutator().mutables())) {
    probabilities[architecture] = std::exp(mutator().terms(architecture).log_prob.item<double>());
  }
  std::map<Architecture, int64_t> counts;
  for (int i = 0; i < 8000; ++i) {
    mutator().reset();
    ++counts[mutator().current()];
  }
  EXPECT_LT(strangeness(counts, probabilities), 5);
}

TEST_F(EnasMutatorOnChain, HasTheGradientsThatFiniteDifferencesGive) {
  constexpr double kStep = 1e-6;
  for (const int what : {0, 1, 2}) {
    const auto value = [&] {
      const PolicyTerms terms = mutator().terms(some_);
      return what == 0 ? terms.log_prob : what == 1 ? terms.entropy : terms.penalty;
    };
    for (const auto& item : mutator().named_parameters()) {
      at::Tensor weights = item.value();
      const at::Tensor gradient =
          torch::autograd::grad({value()}, {weights}, {}, std::nullopt, false, true).front();
      if (what == 0) {
        ASSERT_TRUE(gradient.defined()) << item.key() << " is not trained";
        EXPECT_GT(gradient.abs().max().item<double>(), 1e-6) << item.key();
      }
      const at::NoGradGuard no_grad;
      at::Tensor flat = weights.view(-1);
      for (int64_t i = 0; i < flat.size(0); i += 3) {
        const auto was = flat[i].item<double>();
        flat[i] = was + kStep;
        const auto above = value().item<double>();
        flat[i] = was - kStep;
        const auto below = value().item<double>();
        flat[i] = was;
        const double found = gradient.defined() ? gradient.view(-1)[i].item<double>() : 0;
        EXPECT_NEAR(found, (above - below) / (2 * kStep), 1e-7) << item.key() << " " << i;
      }
    }
  }
}

class EnasMutatorFormulas : public EnasMutatorOnChain, public testing::WithParamInterface<bool> {};

TEST_P(EnasMutatorFormulas, AreThoseOfTheController) {
  const at::NoGradGuard no_grad;
  extra_step_ = GetParam();
  const at::Tensor of_input = parameter("lstm0/input"), of_hidden = parameter("lstm0/hidden");
  const at::Tensor logits = parameter("logits/layer0/op");
  const at::Tensor embedding = parameter("embedding/layer0/op");
  at::Tensor hidden = at::zeros({4}, at::kDouble), cell = hidden;
  const auto step = [&](const at::Tensor& input) {
    const at::Tensor gates = of_input.mv(input) + of_hidden.mv(hidden);
    cell = gates.slice(0, 4, 8).sigmoid() * cell +
           gates.slice(0, 0, 4).sigmoid() * gates.slice(0, 8, 12).tanh();
    hidden = gates.slice(0, 12, 16).sigmoid() * cell.tanh();
    return hidden;
  };
  const auto query = [&](const at::Tensor& anchor) {
    const at::Tensor key =
        parameter("attention/anchor").mv(anchor) + parameter("attention/hidden").mv(hidden);
    return 2.5 * parameter("attention/out").squeeze(0).dot(key.tanh()).tanh().item<double>();
  };
  const auto log_softmax_at = [&](int64_t chosen) {
    return (2.5 * logits.mv(hidden).tanh()).log_softmax(0)[chosen].item<double>();
  };
  const auto log_coin = [](double q) { return -std::log1p(std::exp(-2 * q)); };
  const auto divergence = [](double q) {
    const double p = 1 / (1 + std::exp(-2 * q));
    return p * std::log(p / 0.4) + (1 - p) * std::log((1 - p) / 0.6);
  };

  at::Tensor layer0 = step(parameter("start").squeeze(0));
  double log_p = log_softmax_at(2);
  if (extra_step_) {
    layer0 = step(embedding[2]);  // where its scope ends
  }
  step(embedding[2]);
  log_p += log_softmax_at(0);
  const at::Tensor stem = step(embedding[0]);  // marks what nothing has decided
  at::Tensor layer1 = step(embedding[0]);      // the end of layer1: that of its last decision
  const double to_stem = query(stem), to_layer0 = query(layer0);
  log_p += log_coin(to_stem) + log_coin(to_layer0);
  const double penalty = divergence(to_stem) + divergence(to_layer0);
  if (extra_step_) {
    layer1 = step((stem + layer0) / 3);
  }
  step((stem + layer0) / 3);
  const double a = std::exp(query(stem)), b = std::exp(query(layer0)), c = std::exp(query(layer1));
  log_p += std::log(a * c / (a * b + a * c + b * c));

  const PolicyTerms terms = mutator().terms(some_);
  EXPECT_NEAR(terms.log_prob.item<double>(), log_p, 1e-12);
  EXPECT_NEAR(terms.penalty.item<double>(), penalty, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(WithoutAndWithStepsAtEndsOfScopes, EnasMutatorFormulas, testing::Bool());

TEST_F(EnasMutatorOnChain, PenalisesFairSkipsByTheirDivergenceFromTheTarget) {
  const at::NoGradGuard no_grad;
  parameter("attention/out").zero_();
  EXPECT_NEAR(mutator().terms(some_).penalty.item<double>(), 2 * 0.0204110, 1e-6);
  // What is left are a coin for each of two inputs and the choice of two of three.
  parameter("logits/layer0/op").zero_();
  const double entropy = 2 * std::log(3) + 2 * std::log(2) + std::log(3);
  EXPECT_NEAR(mutator().terms(some_).entropy.item<double>(), entropy, 1e-12);
  EXPECT_NEAR(mutator().terms(some_).log_prob.item<double>(), -entropy, 1e-12);
}

TEST_F(EnasMutatorOnChain, ExportsTheLikeliestDecisionsAndChangesNothing) {
  mutator().reset();
  const Architecture current = mutator().current();
  const Json state = mutator().state();
  const Architecture exported = mutator().export_architecture();
  EXPECT_EQ(mutator().export_architecture(), exported);
  EXPECT_EQ(mutator().current(), current);
  EXPECT_EQ(mutator().state(), state);
  // The last decision has nothing after it, so the likeliest one makes the likeliest architecture.
  const at::NoGradGuard no_grad;
  const auto best = mutator().terms(exported).log_prob.item<double>();
  for (const std::vector<int64_t>& other :
       std::vector<std::vector<int64_t>>{{0, 1}, {0, 2}, {1, 2}}) {
    Architecture changed = exported;
    changed["last"].chosen = other;
    EXPECT_LE(mutator().terms(changed).log_prob.item<double>(), best);
  }
}

TEST_F(EnasMutatorOnChain, ContinuesFromItsState) {
  mutator().reset();
  const Json saved = Json::parse(mutator().state().dump());
  std::vector<Architecture> expected;
  for (int i = 0; i < 5; ++i) {
    expected.push_back(mutator().sample_search());
  }
  mutator().load_state(saved);
  for (const Architecture& architecture : expected) {
    EXPECT_EQ(mutator().sample_search(), architecture);
  }
}

TEST_F(EnasMutatorOnChain, NamesTheChoiceThatAnArchitectureDecidesWrongly) {
  Architecture wrong = some_;
  wrong["last"].chosen = {1};
  EXPECT_THAT(error_of([&] { mutator().terms(wrong); }), HasSubstr("'last': expected 2 of 3"));
  EXPECT_THAT(error_of([&] { mutator().terms({}); }), HasSubstr("nothing for 'layer0/op'"));
  EXPECT_THAT(error_of([&] { mutator().log_prob(); }), HasSubstr("call reset() or apply()"));
}

TEST(EnasMutator, SharesHeadsAmongChoicesOfEqualCandidatesAndStartsWithinATenth) {
  Network network(chain_space(), 1);
  const EnasMutator mutator(*network, {});
  std::map<std::string, std::vector<int64_t>> sizes;
  for (const auto& item : mutator.named_parameters()) {
    sizes[item.key()] = item.value().sizes().vec();
    EXPECT_EQ(item.value().scalar_type(), at::kFloat);
    EXPECT_THAT(item.value().min().item<float>(), AllOf(Ge(-0.1F), Le(-0.05F))) << item.key();
    EXPECT_THAT(item.value().max().item<float>(), AllOf(Ge(0.05F), Le(0.1F))) << item.key();
    EXPECT_TRUE(item.value().requires_grad());
  }
  const std::map<std::string, std::vector<int64_t>> expected = {{"start", {1, 64}},
                                                                {"lstm0/input", {256, 64}},
                                                                {"lstm0/hidden", {256, 64}},
                                                                {"attention/anchor", {64, 64}},
                                                                {"attention/out", {1, 64}},
                                                                {"attention/hidden", {64, 64}},
                                                                {"logits/layer0/op", {3, 64}},
                                                                {"embedding/layer0/op", {3, 64}}};
  EXPECT_EQ(sizes, expected);
}

TEST(EnasMutator, DrawsWeightsAndArchitecturesBySeed) {
  Network network(chain_space(), 1);
  const auto draws = [&](uint64_t seed) {
    EnasMutator mutator(*network, {.seed = seed});
    std::vector<Architecture> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(mutator.sample_search());
    }
    return std::make_pair(all, mutator.named_parameters()["start"].sum().item<float>());
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1).first, draws(2).first);
  EXPECT_NE(draws(1).second, draws(2).second);
}

TEST(EnasMutator, DecidesOneLabelOnce) {
  const auto net = [](const std::string& label_of_second) {
    Builder b("net");
    Wire x =
        b.layer_choice("a", three_candidates(), {b.input("x", {2, 4, 4})}, {.label = "shared"});
    b.output("y", b.layer_choice("b", three_candidates(), {x}, {.label = label_of_second}));
    return Network(b.finish(), 1);
  };
  Network shared = net("shared"), apart = net("apart");
  EnasMutator one(*shared, {.seed = 1}), two(*apart, {.seed = 1});
  one.reset();
  EXPECT_EQ(one.current().size(), 1);
  const Architecture both = {{"shared", {{1}}}, {"apart", {{1}}}};
  EXPECT_NEAR(one.terms({{"shared", {{1}}}}).log_prob.item<double>(), std::log(1.0 / 3), 0.1);
  EXPECT_NEAR(two.terms(both).log_prob.item<double>(), 2 * std::log(1.0 / 3), 0.2);
}

TEST(EnasMutator, BoundsLogitsAndFavoursConvolutionsInReductionCells) {
  const auto log_ratio = [](const std::string& label, const EnasMutatorOptions& options,
                            double scale) {
    Builder b("net");
    b.output("y", b.layer_choice("op", {{"sep_conv", ops::relu()}, {"pool", ops::identity()}},
                                 {b.input("x", {2, 4, 4})}, {.label = label}));
    Network network(b.finish(), 1);
    EnasMutator mutator(*network, options);
    const at::NoGradGuard no_grad;
    mutator.named_parameters()["logits/" + label].mul_(scale);
    return mutator.terms({{label, {{0}}}}).log_prob.item<double>() -
           mutator.terms({{label, {{1}}}}).log_prob.item<double>();
  };
  EXPECT_NEAR(log_ratio("reduce/op", {}, 0), 0.5, 1e-6);
  EXPECT_NEAR(log_ratio("reduce/op", {.branch_bias = 0.1}, 0), 0.2, 1e-6);
  EXPECT_NEAR(log_ratio("normal/op", {}, 0), 0, 1e-6);
  const double free = log_ratio("normal/op", {.tanh_constant = 0}, 1);
  EXPECT_GT(std::abs(free), 1e-5);
  EXPECT_NEAR(log_ratio("normal/op", {.temperature = 4, .tanh_constant = 0}, 1), free / 4, 1e-6);
  EXPECT_LE(std::abs(log_ratio("normal/op", {.tanh_constant = 1.5}, 1e9)), 3 + 1e-5);
}

TEST(EnasMutator, DecidesEveryKindOfChoice) {
  Network network(every_choice_space(), 1);
  network->to(at::kDouble);
  EnasMutator mutator(*network, {.lstm_size = 8, .lstm_layers = 2, .seed = 4});
  const at::NoGradGuard no_grad;
  for (int i = 0; i < 20; ++i) {
    mutator.reset();
    ASSERT_EQ(network->forward(normal_tensor({2, 3, 7, 5}, 1)).numel(), 6);
    EXPECT_LT(mutator.log_prob().item<double>(), 0);
    EXPECT_GT(mutator.entropy().item<double>(), 0);
    EXPECT_GE(mutator.penalty().item<double>(), 0);
  }
}

TEST(EnasMutator, DecidesADepthThatIsAValue) {
  Builder b("deep");
  const auto twice = [](Builder& c, Wire y) { return c.add("twice", ops::add(), {y, y}); };
  b.output("y", b.repeat("r", between("depth", 0, 2), twice, b.input("x", {2})));
  Network network(b.finish(), 1);
  EnasMutator mutator(*network, {.seed = 3});
  std::set<int64_t> seen;
  for (int i = 0; i < 50; ++i) {
    mutator.reset();
    seen.insert(mutator.current().at("depth").chosen.front());
    EXPECT_LT(mutator.terms(mutator.current()).log_prob.item<double>(), 0);
  }
  EXPECT_THAT(seen, ElementsAre(0, 1, 2));
}

TEST(EnasMutator, RefusesOptionsOutOfRange) {
  Network network(chain_space(), 1);
  const auto error = [&](const EnasMutatorOptions& options) {
    return error_of([&] { EnasMutator(*network, options); });
  };
  EXPECT_THAT(error({.lstm_size = 0}), HasSubstr("enas.lstm_size must be at least 1, got 0"));
  EXPECT_THAT(error({.temperature = 0}), HasSubstr("temperature must be above 0, got 0"));
  EXPECT_THAT(error({.tanh_constant = -1}), HasSubstr("tanh_constant must be at least 0, got -1"));
  EXPECT_THAT(error({.skip_target = 1}), HasSubstr("enas.skip_target must be below 1, got 1"));
  EXPECT_EQ(error({}), "(no error)");
}

}  // namespace
}  // namespace retia
