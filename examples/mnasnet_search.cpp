#include <ATen/ops/cross_entropy_loss.h>
#include <retia/retia.h>
#include <torch/optim/sgd.h>

#include <iostream>

using namespace retia;

/// A network for images of 8 x 8 whose blocks are left open.
Graph base() {
  Builder net("mnasnet_search");
  Wire x = net.input("image", {1, 8, 8});
  x = net.add("stem", ops::conv_bn({.out = 8, .relu = ReluPlace::After}), {x});
  x = net.placeholder("block0",
                      {.label = "mutable_0",
                       .parameters = {{"kernel_size_options", {1, 3, 5}},
                                      {"n_layer_options", {1, 2, 3}},
                                      {"exp_ratio", 3},
                                      {"stride", 1},
                                      {"out", 8}},
                       .shape = {8, 8, 8}},
                      {x});
  x = net.placeholder("block1",
                      {.label = "mutable_1",
                       .parameters = {{"kernel_size_options", {3, 5}},
                                      {"n_layer_options", {1, 2}},
                                      {"exp_ratio", 6},
                                      {"stride", 2},
                                      {"out", 16}},
                       .shape = {16, 4, 4}},
                      {x});
  x = net.add("mean", ops::global_mean(), {x});
  net.output("logits", net.add("head", ops::linear({.out = 10}), {x}));
  return net.finish();
}

/// Turns the placeholders of its name into inverted residuals: how many, and of which kernels.
class BlockMutator final : public GraphMutator {
 public:
  using GraphMutator::GraphMutator;

  void mutate(Graph& graph, Sampler& sampler) const override {
    for (const NodeId node : graph.labelled(name())) {
      const Json given = std::get<Placeholder>(graph.node(node).body).parameters;
      const auto kernels = given.at("kernel_size_options").get<std::vector<int64_t>>();
      const auto n_layers = sampler.choice(given.at("n_layer_options").get<std::vector<int64_t>>());
      std::vector<Operation> layers;
      for (int64_t i = 0; i < n_layers; ++i) {
        layers.push_back(ops::mb_conv({.out = given.at("out").get<int64_t>(),
                                       .kernel = sampler.choice(kernels),
                                       .stride = i == 0 ? given.at("stride").get<int64_t>() : 1,
                                       .expansion = given.at("exp_ratio").get<int64_t>()}));
      }
      graph.update_operation(node, chain(name(), layers));
    }
  }
};

/// Trains a model for two passes through 500 digits and scores it on the test set.
class DigitsEvaluator final : public Evaluator {
 public:
  DigitsEvaluator()
      : digits_(standard_data_sets().load({.name = "digits", .limit = 500})),
        train_(digits_.train, {.batch_size = 25, .order = SampleOrder::Shuffled}),
        test_(digits_.test, {.batch_size = 100}) {}

  std::vector<Objective> objectives() const override { return {{.name = "accuracy"}}; }

  Evaluation evaluate(const Trial& trial) override {
    Network network(*trial.model, 0);
    torch::optim::SGD optimizer(network->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    for (int64_t epoch = 0; epoch < 2; ++epoch) {
      for (int64_t i = 0; i < train_.n_batches(); ++i) {
        if (trial.stop_requested()) {
          return {.status = TrialStatus::Stopped};
        }
        const Batch batch = train_.batch(epoch, i);
        optimizer.zero_grad();
        at::cross_entropy_loss(network->forward(batch.inputs), batch.targets).backward();
        optimizer.step();
      }
    }
    const Score score = score_of(network, test_);
    return {.objectives = {score.accuracy}, .metrics = {{"loss", score.loss}}};
  }

  Json to_json() const override { return {{"name", "digits"}, {"options", Json::object()}}; }

 private:
  DataSplits digits_;
  Batches train_, test_;
};

int main(int argc, char** argv) {
  const Space space(base(), {std::make_shared<BlockMutator>("mutable_0"),
                             std::make_shared<BlockMutator>("mutable_1")});
  DigitsEvaluator evaluator;
  RandomStrategy strategy(space, {}, /*seed=*/1);
  ExperimentObserver nobody;
  if (argc < 2) {
    const Trial trial = Experiment::debug_run(space, evaluator, strategy, nobody);
    std::cout << trial.proposal.architecture.to_string() << ' '
              << trial.evaluation.objectives.front() << '\n';
    return 0;
  }
  Experiment experiment(space, "mnasnet_search", evaluator, strategy, argv[1]);
  experiment.run({.max_trials = 10}, nobody);
  for (const Trial& trial : experiment.trials()) {
    std::cout << "trial " << trial.proposal.id << ": " << trial.proposal.architecture.to_string()
              << ' ' << trial.evaluation.objectives.front() << '\n';
  }
  std::cout << "best: trial " << experiment.best()->proposal.id << '\n';
  return 0;
}
