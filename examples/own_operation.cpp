#include <retia/program.h>
#include <torch/nn/modules/rnn.h>

using namespace retia;

struct LstmOptions {
  int64_t out = 16;    ///< size of the hidden state
  int64_t layers = 1;  ///< LSTMs, one above the other
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LstmOptions, out, layers)

/// Reads the rows of an image one after the other, and returns the last hidden state:
/// [channels, height, width] → [out].
class LstmModule : public torch::nn::Module {
 public:
  using Options = LstmOptions;

  LstmModule(const Options& options, const std::vector<int64_t>& in)
      : lstm_(register_module("lstm",
                              torch::nn::LSTM(torch::nn::LSTMOptions(in[0] * in[2], options.out)
                                                  .num_layers(options.layers)
                                                  .batch_first(true)))) {}

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor rows = x.transpose(1, 2).flatten(2);  // [batch, height, channels · width]
    return std::get<0>(lstm_->forward(rows)).select(1, -1);
  }

 private:
  torch::nn::LSTM lstm_;
};

/// Makes an LSTM as an operation of a graph.
Operation lstm(const LstmOptions& options) {
  OperationTable table;
  table.add<LstmModule>("lstm");
  return table.make("lstm", options);
}

struct ReaderOptions {
  int64_t width = 16;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ReaderOptions, width)

/// An image is read by one LSTM or by two.
Graph reader(const ReaderOptions& options, const Task& task) {
  Builder net("reader");
  Wire x = net.input("image", {task.input.begin(), task.input.end()});
  x = net.layer_choice(
      "read",
      {{"one", lstm({.out = options.width})}, {"two", lstm({.out = options.width, .layers = 2})}},
      {x});
  net.output("logits", net.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return net.finish();
}

int main(int argc, char** argv) {
  Program program;
  program.operations.add<LstmModule>("lstm");  // so that graphs with it are read from files
  program.spaces.add("reader", &reader);
  return program.run(argc, argv);
}
