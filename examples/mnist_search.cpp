#include <retia/program.h>

using namespace retia;

struct MnistNetOptions {
  int64_t channels = 8;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MnistNetOptions, channels)

/// Choices of a layer, of an input and of values: the two hidden layers share the label of theirs,
/// so that they are always equally wide.
Graph mnist_net(const MnistNetOptions& options, const Task& task) {
  Builder net("mnist_net");
  const Wire image = net.input("image", {task.input.begin(), task.input.end()});
  const Wire stem = net.add(
      "stem", ops::conv2d({.out = options.channels, .kernel = ValueChoice<int64_t>({1, 3, 5})}),
      {image});
  const Wire layer = net.layer_choice("layer",
                                      {{"pool", ops::pool_bn({.pooling = Pooling::Max})},
                                       {"sep_conv", ops::sep_conv({.kernel = 3})},
                                       {"identity", ops::identity()}},
                                      {stem});
  const Wire both = net.input_choice("switch", {stem, layer}, {.n_chosen = 1});
  Wire x = net.add("mean", ops::global_mean(), {net.add("relu", ops::relu(), {both})});
  const auto hidden = ValueChoice<int64_t>("hidden_dim", {32, 64, 128});
  x = net.add("relu1", ops::relu(), {net.add("hidden1", ops::linear({.out = hidden}), {x})});
  x = net.add("relu2", ops::relu(), {net.add("hidden2", ops::linear({.out = hidden}), {x})});
  net.output("logits", net.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return net.finish();
}

int main(int argc, char** argv) {
  Program program;
  program.spaces.add("mnist_net", &mnist_net);
  return program.run(argc, argv);
}
