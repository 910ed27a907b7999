#include <retia/retia.h>

using namespace retia;

/// Searches with DARTS in ten statements, on one half of the images for the weights and the other
/// for the architecture.
int main() {
  const Dataset digits = standard_data_sets().load({.name = "digits", .limit = 512}).train;
  const Task task{.input = digits.sample_shape(), .n_outputs = digits.n_classes};
  const Space space = standard_spaces().search("darts_cnn", {{"channels", 4}, {"layers", 3}}, task);
  const Network network(space.supernet(), /*seed=*/1);
  DartsMutator mutator(*network, {.seed = 1});
  const auto [first, second] = split_of(digits, /*valid_fraction=*/0.5, /*seed=*/1);
  BilevelTrainer trainer({.network = network,
                          .train = Batches(digits, first, {.batch_size = 32}),
                          .valid = Batches(digits, second, {.batch_size = 32}),
                          .trainer = {.epochs = 1}},
                         mutator, {});
  TrainingObserver observer;
  trainer.fit(observer, /*checkpoints=*/nullptr);
  write_json("architecture.json",
             to_json(trainer.export_architecture(), space.mutables(), space.name()));
}
