#include <ATen/ops/ones.h>
#include <retia/program.h>
#include <torch/nn/modules/linear.h>

#include <iostream>

using namespace retia;

struct SpaceOptions {
  int64_t channels = 8;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SpaceOptions, channels)

Wire stem_of(Builder& net, const SpaceOptions& options, const Task& task) {
  const Wire image = net.input("image", {task.input.begin(), task.input.end()});
  return net.add("stem", ops::conv_bn({.out = options.channels}), {image});
}

Graph finished(Builder& net, Wire features, const Task& task) {
  const Wire mean = net.add("mean", ops::global_mean(), {features});
  net.output("logits", net.add("head", ops::linear({.out = task.n_outputs}), {mean}));
  return net.finish();
}

Graph connected(const SpaceOptions& options, const Task& task) {
  Builder net("connected");
  const Wire stem = stem_of(net, options, task);
  const auto nested = [](Builder& inner, Wire x) {
    x = inner.layer_choice(
        "kernel", {{"k3", ops::sep_conv({.kernel = 3})}, {"k5", ops::sep_conv({.kernel = 5})}},
        {x});
    return inner.add("relu", ops::relu(), {x});
  };
  const Wire body = net.layer_choice(
      "body", {{"sep_conv", nested}, {"pool", ops::max_pool2d()}, {"skip", ops::identity()}},
      {stem});
  net.add("wide", ops::conv_bn({.kernel = 5}), {body});
  const Wire two = net.choose_from("two", {"stem", "body", "wide"}, {.n_chosen = 2});
  return finished(net, net.input_choice("last", {two, body}), task);
}

Graph sized(const SpaceOptions& options, const Task& task) {
  Builder net("sized");
  Wire x = stem_of(net, options, task);
  const auto width = ValueChoice("width", {12, 16, 24});
  const auto scale = ValueChoice("scale", {0.5, 0.75});
  const auto kernel = ValueChoice("kernel", {3, 5});
  x = net.add("first", ops::conv_bn({.out = width, .kernel = kernel}), {x});
  x = net.add("second", ops::conv_bn({.out = round(width * scale), .kernel = kernel}), {x});
  const Dim out = condition(kernel > 3, min(2 * width, 32), width);
  return finished(net, net.add("third", ops::conv_bn({.out = out, .kernel = 1}), {x}), task);
}

Graph deep(const SpaceOptions& options, const Task& task) {
  Builder net("deep");
  Wire x = stem_of(net, options, task);
  const auto block = [](Builder& inner, Wire y) {
    return inner.layer_choice(
        "op", {{"conv3x3", ops::conv_bn({.kernel = 3})}, {"conv5x5", ops::conv_bn({.kernel = 5})}},
        {y});
  };
  const auto depth = between("depth", 0, 2);
  x = net.repeat("free", depth, block, x);
  x = net.repeat("alike", 3 - depth, block, x, Blocks::Shared);
  return finished(net, x, task);
}

Graph celled(const SpaceOptions& options, const Task& task) {
  Builder net("celled");
  const Wire stem = stem_of(net, options, task);
  const CellOptions form{.nodes = 2, .ops_per_node = 2, .candidates = [](const CellPlace&) {
                           return std::vector<CandidateWriter>{{"sep_conv", ops::sep_conv()},
                                                               {"pool", ops::max_pool2d()}};
                         }};
  const Wire first = cell(net, "cell0", "normal", {stem, stem}, form);
  const Wire again = net.add("again", ops::conv_bn({.out = options.channels}), {first});
  return finished(net, cell(net, "cell1", "normal", {stem, again}, form), task);
}

struct PlainImpl : torch::nn::Module {
  PlainImpl()
      : fc(register_module(
            "fc", LayerChoice(std::vector<NamedCandidate>{{"linear", torch::nn::Linear(4, 4)},
                                                          {"skip", torch::nn::Identity()}}))),
        pick(register_module("pick",
                             InputChoice(InputChoiceModuleOptions{.n_chosen = std::nullopt,
                                                                  .reduction = Reduction::None,
                                                                  .choose_from = {"fc", ""}}))),
        scale(register_module("scale", ChosenValue(std::vector<Json>{0.5, 1, 2}))) {}

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor sum = x.new_zeros(x.sizes());
    for (const at::Tensor& chosen : pick->select({fc(x), x})) {
      sum = sum + scale->as_double() * chosen;
    }
    return sum;
  }

  LayerChoice fc;
  InputChoice pick;
  ChosenValue scale;
};
TORCH_MODULE(Plain);

int run_plain() {
  Plain model;
  RandomMutator mutator(*model, {.seed = 1});
  mutator.reset();
  std::cout << mutator.current().to_string() << ' ' << model(at::ones({2, 4})).sizes() << '\n';
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 1) {
    return run_plain();
  }
  Program program;
  program.spaces.add("connected", &connected);
  program.spaces.add("sized", &sized);
  program.spaces.add("deep", &deep);
  program.spaces.add("celled", &celled);
  return program.run(argc, argv);
}
