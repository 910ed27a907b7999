#include "retia/engine/executor/merged_network.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/tests/error_of.h"
#include "retia/tests/models/network_checks.h"

namespace retia {
namespace {

std::vector<Network> members(const std::string& name, const Json& options, const Task& task,
                             size_t n, uint64_t seed) {
  const ir::Graph space = standard_spaces().search(name, options, task).graph();
  Random random(seed);
  std::vector<Network> made;
  for (size_t i = 0; i < n; ++i) {
    const Architecture architecture = random_architecture(ir::mutables(space), random);
    made.emplace_back(ir::freeze(space, ir::canonical(space, architecture)), seed + i);
    made.back()->to(at::kDouble);
  }
  return made;
}

/// Expects outputs, gradients and running statistics of the members.
void expect_equal(std::vector<Network> networks, const std::vector<int64_t>& sample,
                  int64_t most_channels) {
  const MergedNetwork merged(networks, most_channels);
  Network network = merged.network();
  const at::Tensor batch = random_batch(6, sample, 5);
  const at::Tensor output = network->forward(batch);
  const auto n = static_cast<int64_t>(networks.size());
  const int64_t k = output.size(1) / n;
  output.square().sum().backward();
  std::vector<std::map<std::string, at::Tensor>> statistics;
  for (int64_t i = 0; i < n; ++i) {
    const at::Tensor alone = networks[static_cast<size_t>(i)]->forward(batch);
    EXPECT_LE((output.narrow(1, i * k, k) - alone).abs().max().item<double>(), 1e-10);
    alone.square().sum().backward();
    statistics.emplace_back();
    for (const auto& item : networks[static_cast<size_t>(i)]->named_buffers()) {
      statistics.back()[item.key()] = item.value().clone();
    }
  }
  for (const MergedNetwork::Stacked& stacked : merged.parameters()) {
    const auto rows = static_cast<int64_t>(stacked.members.size());
    for (int64_t r = 0; r < rows; ++r) {
      const at::Tensor& theirs = stacked.theirs[static_cast<size_t>(r)].grad();
      if (!stacked.tensor.grad().defined() || !theirs.defined()) {
        continue;  // it leads to no output
      }
      const at::Tensor ours = stacked.tensor.grad().reshape({rows, -1})[r].view(theirs.sizes());
      EXPECT_LE((ours - theirs).abs().max().item<double>(),
                1e-9 * (1 + theirs.abs().max().item<double>()));
    }
  }
  merged.give_back();
  for (size_t i = 0; i < networks.size(); ++i) {
    for (const auto& item : networks[i]->named_buffers()) {
      EXPECT_LE((item.value() - statistics[i][item.key()]).abs().max().item<double>(), 1e-12);
    }
  }
}

void expect_equal_of_several(const std::string& name, const Json& options, const Task& task) {
  for (const size_t n : {1, 2, 6}) {
    SCOPED_TRACE(name + " x " + std::to_string(n));
    expect_equal(members(name, options, task, n, n), task.input, ir::kAnyNumberOfChannels);
    expect_equal(members(name, options, task, n, 10 + n), task.input, 16);
  }
}

TEST(MergedNetwork, ComputesWhatPerceptronsDo) {
  expect_equal_of_several("mlp", {{"layers", 3}, {"widths", {3, 5}}}, {{7}, 3});
  expect_equal_of_several("mlp", {{"layers", 1}}, {{1, 3, 3}, 1});
}

TEST(MergedNetwork, ComputesWhatSmallConvolutionalModelsDo) {
  expect_equal_of_several("tiny", {{"channels", 4}, {"width_choice", true}}, {{1, 8, 8}, 4});
  expect_equal_of_several("nasbench201", {{"channels", 4}, {"cells", 1}}, {{3, 8, 8}, 5});
}

TEST(MergedNetwork, ComputesWhatModelsOfShuffledPartsDo) {
  expect_equal_of_several("spos_chain", {{"channels", 4}, {"layers", 4}}, {{1, 8, 8}, 3});
}

TEST(MergedNetwork, ComputesWhatModelsOfElasticWidthsDo) {
  expect_equal_of_several("mobile",
                          {{"blocks", {2, 2}},
                           {"channels", {8, 16}},
                           {"strides", {1, 2}},
                           {"stem_channels", 8},
                           {"stem_stride", 1},
                           {"first_channels", 8},
                           {"last_channels", 16},
                           {"elastic", true},
                           {"widths", {0.5, 1}}},
                          {{1, 8, 8}, 3});
}

TEST(MergedNetwork, ComputesWhatMacroAndCellModelsDo) {
  expect_equal_of_several("enas_macro", {{"channels", 4}, {"layers", 3}}, {{1, 8, 8}, 3});
  expect_equal_of_several("darts_cnn", {{"channels", 4}, {"layers", 2}, {"nodes", 2}},
                          {{1, 8, 8}, 3});
}

TEST(MergedNetwork, GivesBackTheWeightsThatItTook) {
  const std::vector<Network> networks =
      members("tiny", {{"width_choice", true}}, {{1, 8, 8}, 4}, 4, 1);
  std::vector<NamedTensors> before;
  for (const Network& network : networks) {
    before.emplace_back();
    for (const auto& [name, tensor] : weights_of(*network)) {
      before.back()[name] = tensor.clone();
    }
  }
  const MergedNetwork merged(networks);
  {
    const at::NoGradGuard no_grad;
    for (const Network& network : networks) {
      for (at::Tensor& parameter : network->parameters()) {
        parameter.zero_();
      }
    }
  }
  merged.give_back();
  for (size_t i = 0; i < networks.size(); ++i) {
    for (const auto& [name, tensor] : weights_of(*networks[i])) {
      EXPECT_TRUE(at::equal(tensor, before[i][name])) << name;
    }
  }
}

TEST(MergedNetwork, TakesOnlyModelsThatAreSettledAndAlike) {
  const auto alike = [](const std::vector<Network>& networks) { return can_merge(networks); };
  const auto tiny = [](int64_t classes) {
    return members("tiny", Json::object(), {{1, 8, 8}, classes}, 1, 1).front();
  };
  EXPECT_TRUE(alike({tiny(4), tiny(4)}));
  EXPECT_FALSE(alike({tiny(4), tiny(5)}));
  EXPECT_FALSE(alike({}));
  EXPECT_FALSE(alike(
      {Network(standard_spaces().search("tiny", Json::object(), {{1, 8, 8}, 4}).graph(), 1)}));
  Builder b("dropped");
  b.output("y", b.add("drop", ops::drop_path(), {b.input("x", {3})}));
  EXPECT_FALSE(alike({Network(b.finish(), 1)}));
  EXPECT_EQ(error_of([&] {
              MergedNetwork(std::vector{tiny(4), tiny(5)});
            }),
            "these models cannot be merged: they must read and make the same shapes, have no "
            "choices left and draw nothing at random");
}

}  // namespace
}  // namespace retia
