#include "retia/models/ops/cell.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/loose_ends.h"
#include "retia/tests/error_of.h"
#include "retia/tests/models/network_checks.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<ir::CandidateWriter> conv_or_pool(const CellPlace&) {
  return {{"conv", ops::conv_bn({.kernel = 3})}, {"pool", ops::max_pool2d()}};
}

/// Two cells of one architecture over a stem, and a head.
ir::Graph space_of(const CellOptions& options, int64_t n_inputs = 2) {
  Builder b("cells");
  Wire x = b.input("image", {2, 6, 6});
  x = b.add("stem", ops::conv_bn({.out = 4}), {x});
  for (const std::string name : {"cell0", "cell1"}) {
    x = cell(b, name, "normal", std::vector<Wire>(static_cast<size_t>(n_inputs), x), options);
  }
  x = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = 3}), {x}));
  return b.finish();
}

std::vector<std::string> labels(const ir::Graph& graph) {
  std::vector<std::string> all;
  for (const Mutable& choice : ir::mutables(graph)) {
    all.push_back(choice.label);
  }
  return all;
}

/// The architecture of 2 nodes of 2 operations on 2 predecessors that reads states `in`.
Architecture reading(const std::vector<int64_t>& in, const std::vector<int64_t>& ops) {
  Architecture architecture;
  size_t next = 0;
  for (const std::string place : {"2_0", "2_1", "3_0", "3_1"}) {
    architecture["normal/input_" + place].chosen = {in.at(next)};
    architecture["normal/op_" + place].chosen = {ops.at(next++)};
  }
  return architecture;
}

TEST(Cell, LabelsWhatItDecidesAndSharesItBetweenCells) {
  const ir::Graph graph = space_of({.nodes = 2, .candidates = conv_or_pool});
  EXPECT_THAT(labels(graph), ElementsAre("normal/input_2_0", "normal/op_2_0", "normal/input_2_1",
                                         "normal/op_2_1", "normal/input_3_0", "normal/op_3_0",
                                         "normal/input_3_1", "normal/op_3_1"));
  EXPECT_THAT(ir::mutables(graph)[4].names, ElementsAre("0", "1", "2"));
  expect_reads_back_equal(graph);
}

TEST(Cell, FreezesToWhatTheSupernetComputesOnThatPath) {
  for (const OpsFor ops_for : {OpsFor::AnyInput, OpsFor::EachInput}) {
    const ir::Graph graph = space_of({.nodes = 2, .candidates = conv_or_pool, .ops_for = ops_for});
    EXPECT_EQ(labels(graph).size(), 8);
    expect_every_candidate_runs(graph, {2, 6, 6}, 3);
    expect_frozen_equals_path(graph, {2, 6, 6});
  }
}

TEST(Cell, CostsWhatIsCountedByHand) {
  // Cells of 4 channels, then 8: a node's 3 x 3 convolution with its normalisation.
  const auto conv = [](int64_t channels) { return 9 * channels * channels + 2 * channels; };
  const ir::Graph graph = space_of({.nodes = 2, .candidates = conv_or_pool});
  const auto parameters = [&](const std::vector<int64_t>& ops) {
    return ir::total_cost(ir::freeze(graph, reading({0, 1, 2, 2}, ops))).parameters.value();
  };
  const int64_t rest = 9 * 2 * 4 + 2 * 4 + 16 * 3 + 3;
  EXPECT_EQ(parameters({1, 1, 1, 1}), rest);
  EXPECT_EQ(parameters({0, 1, 1, 1}), rest + conv(4) + conv(8));
  EXPECT_EQ(parameters({0, 0, 0, 0}), rest + 4 * (conv(4) + conv(8)));
}

TEST(Cell, AsksForTheOperationsOfEachPlace) {
  std::vector<std::string> places;
  const auto note = [&](const CellPlace& place) {
    places.push_back(
        c10::str(place.node, place.op, place.input ? std::to_string(*place.input) : "-"));
    return conv_or_pool(place);
  };
  Builder b("one");
  const Wire x = b.input("x", {4, 6, 6});
  cell(b, "c", "l", {x}, {.nodes = 2, .ops_per_node = 1, .candidates = note});
  EXPECT_THAT(places, ElementsAre("10-", "20-"));
  places.clear();
  cell(b, "d", "m", {x},
       {.nodes = 2, .ops_per_node = 1, .candidates = note, .ops_for = OpsFor::EachInput});
  EXPECT_THAT(places, ElementsAre("100", "200", "201"));
}

TEST(Cell, HalvesWhereAnOperationReadsAPredecessor) {
  const auto halving = [](const CellPlace& place) -> std::vector<ir::CandidateWriter> {
    const int64_t stride = *place.input < 1 ? 2 : 1;
    return {{"conv", ops::conv_bn({.stride = stride})},
            {"pool", ops::max_pool2d({.stride = stride})}};
  };
  const ir::Graph graph = space_of(
      {.nodes = 2, .ops_per_node = 1, .candidates = halving, .ops_for = OpsFor::EachInput}, 1);
  expect_frozen_equals_path(graph, {2, 6, 6});
  EXPECT_THAT(ir::mutables(graph)[3].fed_by, ElementsAre("normal/op_2_0", "normal/op_2_0"));
}

TEST(Cell, MergesTheNodesThatNothingReads) {
  const ir::Graph graph =
      space_of({.nodes = 2, .candidates = conv_or_pool, .merge = Merge::LooseEnds});
  const auto channels = [&](const std::vector<int64_t>& in) {
    const ir::Graph model = ir::freeze(graph, reading(in, {0, 1, 0, 1}));
    const auto shapes = ir::infer(model);
    for (const ir::Node& node : model.nodes()) {
      if (node.name == "cell1/concat") {
        return shapes.at(node.id)[0].value();
      }
    }
    return int64_t{-1};
  };
  EXPECT_EQ(channels({0, 1, 0, 1}), 16);  // both nodes are ends: channels double in each cell
  EXPECT_EQ(channels({0, 1, 2, 1}), 4);
  EXPECT_EQ(channels({0, 0, 2, 2}), 4);
  expect_reads_back_equal(graph);
  const ir::Graph model = ir::freeze(graph, reading({0, 1, 0, 2}, {0, 0, 0, 0}));
  expect_reads_back_equal(model);
  Network network(model, 1);
  EXPECT_EQ(network->forward(at::zeros({2, 2, 6, 6})).sizes(), at::IntArrayRef({2, 3}));
  const std::string refused = error_of([&] { Network supernet(graph, 1); });
  EXPECT_THAT(refused, HasSubstr("choice"));
  EXPECT_THAT(refused, HasSubstr("retia explore"));
}

TEST(Cell, ConcatenatesOnlyLooseEndsInOrder) {
  Builder b("ends");
  const Wire x = b.input("x", {1, 2, 2});
  const Wire y = b.add("y", ops::relu(), {x});
  const Wire z = b.add("z", ops::tanh(), {x});
  b.output("out", b.add("ends", ops::loose_ends({{true, false, true}}), {x, y, z}));
  Network network(b.finish(), 1);
  const at::Tensor in = at::full({1, 1, 2, 2}, -1.0);
  EXPECT_TRUE(at::equal(network->forward(in), at::cat({in, in.tanh()}, 1)));
}

TEST(Cell, PreparesItsInputsAndItsOutput) {
  const CellOptions options{
      .nodes = 1,
      .ops_per_node = 1,
      .candidates = conv_or_pool,
      .preprocess =
          [](Builder& b, const std::vector<Wire>& inputs) {
            return std::vector<Wire>{
                b.add("pre", ops::conv_bn({.out = 6, .kernel = 1}), {inputs.front()})};
          },
      .postprocess = [](Builder& b, Wire x) { return b.add("post", ops::relu(), {x}); }};
  const ir::Graph graph = space_of(options);
  EXPECT_THAT(labels(graph), ElementsAre("normal/input_1_0", "normal/op_1_0"));
  std::vector<std::string> names;
  for (const ir::Node& node : graph.nodes()) {
    names.push_back(node.name);
  }
  EXPECT_THAT(names, ElementsAre("image", "stem", "cell0/pre", "cell0/input_1_0", "cell0/op_1_0",
                                 "cell0/concat", "cell0/post", "cell1/pre", "cell1/input_1_0",
                                 "cell1/op_1_0", "cell1/concat", "cell1/post", "mean", "head"));
}

TEST(Cell, RefusesWhatIsNoCell) {
  Builder b("none");
  const Wire x = b.input("x", {4, 6, 6});
  const auto error = [&](const std::vector<Wire>& inputs, const CellOptions& options) {
    return error_of([&] { cell(b, "c", "l", inputs, options); });
  };
  EXPECT_THAT(error({x}, {.nodes = 0, .candidates = conv_or_pool}),
              HasSubstr("cell 'c': nodes and ops_per_node must be at least 1, got 0 and 2"));
  EXPECT_THAT(error({x}, {}), HasSubstr("cell 'c' needs candidates"));
  EXPECT_THAT(error({}, {.candidates = conv_or_pool}), HasSubstr("at least one predecessor"));
}

}  // namespace
}  // namespace retia
