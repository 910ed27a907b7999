#include "retia/models/darts_cnn.h"

#include <algorithm>

#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/infer.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

const DartsCnnOptions kSmallDartsCnn{.channels = 4, .layers = 3, .nodes = 3};
const DartsCnnEvaluationOptions kSmallDartsCnnEvaluation{.channels = 4, .layers = 3, .nodes = 3};

const std::vector<std::string> kOperations = {"none",         "max_pool_3x3", "avg_pool_3x3",
                                              "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                                              "dil_conv_3x3", "dil_conv_5x5"};

int64_t operation_index(const std::string& name) {
  const auto found = std::find(kOperations.begin(), kOperations.end(), name);
  return found - kOperations.begin();
}

/// One cell's architecture from the paper's notation: per node two (operation, state) in order.
void add_genotype(Architecture& architecture, const std::string& cell,
                  const std::vector<std::pair<std::string, int64_t>>& edges) {
  for (size_t e = 0; e < edges.size(); ++e) {
    const std::string node = std::to_string(2 + e / 2);
    const std::string state = std::to_string(edges[e].second);
    architecture[cell + "/" + state + "-" + node].chosen = {operation_index(edges[e].first)};
    std::vector<int64_t>& chosen = architecture[cell + "/" + node].chosen;
    chosen.push_back(edges[e].second);
    std::sort(chosen.begin(), chosen.end());
  }
}

/// DARTS_V2, the cells that the authors found by second-order search.
Architecture published_architecture() {
  Architecture architecture;
  add_genotype(architecture, "normal",
               {{"sep_conv_3x3", 0},
                {"sep_conv_3x3", 1},
                {"sep_conv_3x3", 0},
                {"sep_conv_3x3", 1},
                {"sep_conv_3x3", 1},
                {"skip_connect", 0},
                {"skip_connect", 0},
                {"dil_conv_3x3", 2}});
  add_genotype(architecture, "reduce",
               {{"max_pool_3x3", 0},
                {"max_pool_3x3", 1},
                {"skip_connect", 2},
                {"max_pool_3x3", 1},
                {"max_pool_3x3", 0},
                {"skip_connect", 2},
                {"skip_connect", 2},
                {"max_pool_3x3", 1}});
  return architecture;
}

std::vector<std::string> parameter_names(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& item : module.named_parameters()) {
    names.push_back(item.key());
  }
  return names;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DartsCnn, HasAsManyWeightsAsThePapersSearchNetwork) {
  EXPECT_EQ(count_parameters(*Network(darts_cnn({}, kCifar), 1)), 1'930'618);
  EXPECT_EQ(count_parameters(*Network(darts_cnn({.channels = 8, .layers = 5}, kCifar), 1)),
            394'210);
}

TEST(DartsCnn, SharesTwoTimesFourteenEdgesOfEightOperations) {
  std::map<std::string, int64_t> edges, nodes;
  for (const Mutable& choice : ir::mutables(darts_cnn({}, kCifar))) {
    const std::string cell = choice.label.substr(0, choice.label.find('/'));
    if (choice.kind == MutableKind::LayerChoice) {
      ++edges[cell];
      EXPECT_EQ(choice.names, kOperations) << choice.label;
      EXPECT_EQ(choice.zeros, std::vector<int64_t>{0}) << choice.label;
    } else {
      ++nodes[cell];
      EXPECT_EQ(choice.n_chosen, 2) << choice.label;
    }
  }
  const std::map<std::string, int64_t> of_edges = {{"normal", 14}, {"reduce", 14}};
  const std::map<std::string, int64_t> of_nodes = {{"normal", 4}, {"reduce", 4}};
  EXPECT_EQ(edges, of_edges);
  EXPECT_EQ(nodes, of_nodes);
}

TEST(DartsCnn, TellsEachNodeWhichEdgesFeedIt) {
  const std::vector<Mutable> choices = ir::mutables(darts_cnn(kSmallDartsCnn, kDigits));
  const auto node = std::find_if(choices.begin(), choices.end(),
                                 [](const Mutable& m) { return m.label == "normal/3"; });
  ASSERT_NE(node, choices.end());
  EXPECT_EQ(node->names, (std::vector<std::string>{"0-3", "1-3", "2-3"}));
  EXPECT_EQ(node->fed_by, (std::vector<std::string>{"normal/0-3", "normal/1-3", "normal/2-3"}));
}

TEST(DartsCnn, ReadsBackEqualFromJson) {
  expect_reads_back_equal(darts_cnn(kSmallDartsCnn, kDigits));
  expect_reads_back_equal(darts_cnn_evaluation(kSmallDartsCnnEvaluation, kDigits));
}

TEST(DartsCnn, RunsEveryCandidateAlsoOnOddSizes) {
  expect_every_candidate_runs(darts_cnn(kSmallDartsCnn, kDigits), {1, 8, 8}, 10);
  expect_every_candidate_runs(darts_cnn(kSmallDartsCnn, {{2, 7, 5}, 3}), {2, 7, 5}, 3);
}

TEST(DartsCnn, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(darts_cnn(kSmallDartsCnn, kDigits), {1, 8, 8});
}

TEST(DartsCnn, RefusesInputsThatAreNoImagesNamingTheNode) {
  const std::string error = error_of([] { darts_cnn(kSmallDartsCnn, {{64}, 10}); });
  EXPECT_THAT(error, testing::HasSubstr("node 'stem'"));
  EXPECT_THAT(error, testing::HasSubstr("expected an input of 3 dimensions"));
  EXPECT_THAT(error, testing::HasSubstr("[64]"));
}

TEST(DartsCnn, RefusesANetworkWithoutLayers) {
  EXPECT_THAT(error_of([] { darts_cnn({.layers = 0}, kDigits); }),
              testing::HasSubstr("layers must be at least 1, got 0"));
}

TEST(DartsCnnEvaluation, HasThePublishedNumberOfWeights) {
  const ir::Graph space = darts_cnn_evaluation({.auxiliary = false}, kCifar);
  const ir::Cost cost = ir::total_cost(ir::freeze(space, published_architecture()));
  EXPECT_EQ(cost.parameters.value(), 3'349'342);
}

TEST(DartsCnnEvaluation, FreezesByTheSearchNetworksArchitecturesWithTheSameNames) {
  const ir::Graph search = darts_cnn(kSmallDartsCnn, kDigits);
  const ir::Graph evaluation = darts_cnn_evaluation(kSmallDartsCnnEvaluation, kDigits);
  Random random(3);
  for (int i = 0; i < 5; ++i) {
    const Architecture architecture = random_architecture(ir::mutables(search), random);
    const Network found(ir::freeze(search, architecture), 1);
    const Network trained(ir::freeze(evaluation, architecture), 1);
    std::vector<std::string> convolutions;
    for (const std::string& name : parameter_names(*trained)) {
      const bool new_here = contains(name, "auxiliary") || contains(name, "/bn");
      if (!new_here || contains(name, "stem")) {
        convolutions.push_back(name);
      }
    }
    EXPECT_EQ(convolutions, parameter_names(*found)) << architecture.to_string();
  }
}

TEST(DartsCnnEvaluation, DropsPathsAfterEveryOperationButIdentityAndZero) {
  const ir::Graph space = darts_cnn_evaluation({.layers = 3, .drop_path = 0.3}, kDigits);
  for (int64_t index = 0; index < 8; ++index) {
    const ir::Graph model = ir::freeze(space, uniform_architecture(ir::mutables(space), index));
    int64_t drops = 0;
    for (const ir::Node& node : model.nodes()) {
      const auto* operation = std::get_if<ir::Operation>(&node.body);
      if (operation != nullptr && operation->type() == "drop_path") {
        EXPECT_EQ(operation->parameters().at("probability"), 0.3);
        ++drops;
      }
    }
    // Cells 1 and 2 reduce: there the first two states reach all four nodes by strides of 2.
    const int64_t expected = index == operation_index("none")           ? 0
                             : index == operation_index("skip_connect") ? 16
                                                                        : 24;
    EXPECT_EQ(drops, expected) << kOperations[static_cast<size_t>(index)];
  }
}

TEST(DartsCnnEvaluation, TrainsWithAnAuxiliaryOutputOnMapsOfAnySize) {
  for (const auto& [height, width] :
       std::vector<std::pair<int64_t, int64_t>>{{32, 32}, {28, 28}, {16, 24}, {8, 8}, {7, 5}}) {
    const ir::Graph space =
        darts_cnn_evaluation({.channels = 4, .layers = 3, .nodes = 2}, {{3, height, width}, 5});
    const Architecture architecture = uniform_architecture(ir::mutables(space), 4);
    Network model(ir::freeze(space, architecture), 1);
    model->to(at::kDouble);
    model->prepare({1, 2, 3}, 0.5);
    const at::Tensor batch = random_batch(3, {3, height, width}, 1);
    const std::vector<at::Tensor> outputs = model->run(batch);
    ASSERT_EQ(outputs.size(), 2u);
    EXPECT_EQ(model->graph().outputs()[0].name, "logits");
    EXPECT_EQ(model->graph().outputs()[1].name, "auxiliary");
    for (const at::Tensor& output : outputs) {
      EXPECT_EQ(output.sizes(), at::IntArrayRef({3, 5}));
      EXPECT_TRUE(output.isfinite().all().item<bool>());
    }
  }
}

TEST(DartsCnnEvaluation, BringsTheAuxiliaryMapsOfThePaperToOnePixel) {
  const ir::Graph space = darts_cnn_evaluation({}, kCifar);
  const std::map<ir::NodeId, Shape> shapes = ir::infer(space);
  std::map<std::string, std::string> made;
  for (const ir::Node& node : space.nodes()) {
    if (contains(node.name, "auxiliary/")) {
      made[node.name] = ir::to_string(shapes.at(node.id));
    }
  }
  EXPECT_EQ(made.at("auxiliary/relu1"), "[576, 8, 8]");
  EXPECT_EQ(made.at("auxiliary/pool"), "[576, 2, 2]");
  EXPECT_EQ(made.at("auxiliary/conv1"), "[128, 2, 2]");
  EXPECT_EQ(made.at("auxiliary/conv2"), "[768, 1, 1]");
  EXPECT_EQ(made.at("auxiliary/head"), "[10]");
}

// PC-DARTS: the mutables of a partial network are those of the whole one, so that it shares its
// architectures; 1/K of the channels is operated on, so a sep_conv_3x3 of 4 channels has 1 instead.
TEST(DartsCnn, ChoosesForAPartOfTheChannels) {
  DartsCnnOptions options = kSmallDartsCnn;
  const std::vector<Mutable> whole = ir::mutables(darts_cnn(options, kDigits));
  options.partial_channels = 4;
  const ir::Graph partial = darts_cnn(options, kDigits);
  const std::vector<Mutable> found = ir::mutables(partial);
  ASSERT_EQ(found.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    const Mutable& choice = found[i];
    EXPECT_EQ(choice.label, whole[i].label);
    EXPECT_EQ(choice.names, whole[i].names);
    EXPECT_EQ(choice.fed_by, whole[i].fed_by);
  }
  Network network(partial, 1);
  const auto parameters = network->named_parameters();
  EXPECT_EQ(parameters["cell0/0-2/sep_conv_3x3/pointwise1.weight"].sizes(),
            at::IntArrayRef({1, 1, 1, 1}));
  GivenMutator mutator(*network);
  Random random(3);
  for (int i = 0; i < 5; ++i) {
    mutator.apply(random_architecture(mutator.mutables(), random));
    EXPECT_EQ(network->forward(random_batch(2, {1, 8, 8}, 1).to(at::kFloat)).sizes(),
              at::IntArrayRef({2, 10}));
  }
  options.channels = 6;
  EXPECT_THROW(darts_cnn(options, kDigits), c10::Error);
}

}  // namespace
}  // namespace retia
