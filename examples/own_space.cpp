#include <retia/program.h>

using namespace retia;

struct MySpaceOptions {
  int64_t channels = 8;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MySpaceOptions, channels)

/// One layer of three candidates, and a connection that may skip it.
Graph my_space(const MySpaceOptions& options, const Task& task) {
  Builder net("mine");
  const Wire image = net.input("image", {task.input.begin(), task.input.end()});
  const Wire stem = net.add("stem", ops::conv2d({.out = options.channels}), {image});
  const Wire body = net.layer_choice("body",
                                     {{"conv3x3", ops::conv2d({.kernel = 3})},
                                      {"conv5x5", ops::conv2d({.kernel = 5})},
                                      {"pool", ops::max_pool2d()}},
                                     {stem});
  const Wire mixed = net.input_choice("skip", {stem, body}, {.n_chosen = 1});
  const Wire features =
      net.add("mean", ops::global_mean(), {net.add("relu", ops::relu(), {mixed})});
  net.output("logits", net.add("head", ops::linear({.out = task.n_outputs}), {features}));
  return net.finish();
}

int main(int argc, char** argv) {
  Program program;
  program.spaces.add("mine", &my_space);
  return program.run(argc, argv);
}
