#include <retia/program.h>

using namespace retia;

struct RowsOptions {
  int64_t width = 16;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RowsOptions, width)

/// A network for tables, whose activation is a choice.
Graph rows(const RowsOptions& options, const Task& task) {
  Builder net("rows");
  Wire x = net.input("row", {task.input.begin(), task.input.end()});
  x = net.add("flat", ops::flatten(), {x});
  x = net.add("hidden", ops::linear({.out = options.width}), {x});
  x = net.layer_choice("activation", {{"relu", ops::relu()}, {"tanh", ops::tanh()}}, {x});
  net.output("logits", net.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return net.finish();
}

int main(int argc, char** argv) {
  Program program;
  program.spaces.add("rows", &rows);
  return program.run(argc, argv);
}
