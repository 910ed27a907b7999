#include "retia/models/mlp.h"

#include "retia/engine/cost/profile.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

const Task kTable{.input = {13}, .n_outputs = 1};

TEST(Mlp, ChoosesWidthAndActivationOfEachLayer) {
  const std::vector<Mutable> choices = ir::mutables(mlp({}, kTable));
  ASSERT_EQ(choices.size(), 4u);
  for (const size_t i : {0, 1}) {
    const Mutable& width = choices[2 * i];
    EXPECT_EQ(width.label, "width" + std::to_string(i));
    EXPECT_EQ(width.kind, MutableKind::ValueChoice);
    EXPECT_EQ(width.names, (std::vector<std::string>{"16", "32", "64", "128"}));
    const Mutable& activation = choices[2 * i + 1];
    EXPECT_EQ(activation.label, "activation" + std::to_string(i));
    EXPECT_EQ(activation.kind, MutableKind::LayerChoice);
    EXPECT_EQ(activation.names, (std::vector<std::string>{"relu", "tanh", "silu"}));
  }
}

TEST(Mlp, HasTheWeightsOfTheChosenWidths) {
  const ir::Graph space = mlp({.widths = {5, 9}}, kTable);
  const ir::Graph model = ir::freeze(
      space,
      {{"width0", {{1}}}, {"activation0", {{0}}}, {"width1", {{0}}}, {"activation1", {{1}}}});
  const ir::Cost cost = ir::total_cost(model);
  EXPECT_EQ(cost.multiply_adds.value(), 13 * 9 + 9 * 5 + 5);
  EXPECT_EQ(cost.parameters.value(), 13 * 9 + 9 + 9 * 5 + 5 + 5 + 1);
  EXPECT_EQ(count_parameters(*Network(model, 1)), cost.parameters.value());
}

TEST(Mlp, RunsRandomArchitecturesOnTablesAndDigits) {
  Random random(1);
  for (const Task& task : {kTable, kDigits}) {
    const ir::Graph space = mlp({.layers = 3, .widths = {4, 8}}, task);
    for (int i = 0; i < 20; ++i) {
      const Architecture architecture = random_architecture(ir::mutables(space), random);
      EXPECT_EQ(ir::canonical(space, architecture), architecture);
      Network model(ir::freeze(space, architecture), 1);
      model->to(at::kDouble);
      const at::Tensor logits = model->forward(random_batch(3, task.input, 2));
      EXPECT_EQ(logits.sizes(), at::IntArrayRef({3, task.n_outputs}));
      EXPECT_TRUE(logits.isfinite().all().item<bool>());
    }
  }
}

TEST(Mlp, ReadsBackEqualFromJson) {
  expect_reads_back_equal(mlp({}, kTable));
  expect_reads_back_equal(mlp({}, kDigits));
}

TEST(Mlp, SharesWeightsBetweenWidths) {
  const MlpOptions options{.layers = 3, .widths = {4, 8, 6}};
  EXPECT_EQ(count_parameters(*Network(mlp(options, kTable), 1)),
            13 * 8 + 8 + 2 * (8 * 8 + 8) + 8 + 1);
  expect_frozen_equals_path(mlp(options, kTable), kTable.input);
  expect_frozen_equals_path(mlp(options, kDigits), kDigits.input);
}

TEST(Mlp, RefusesWidthsThatAreNoChoice) {
  EXPECT_THAT(error_of([] {
                mlp({.widths = {16, 16}}, kTable);
              }),
              testing::HasSubstr("widths must be distinct numbers, got [16, 16]"));
  EXPECT_THAT(error_of([] { mlp({.widths = {}}, kTable); }), testing::HasSubstr("got []"));
  EXPECT_THAT(error_of([] { mlp({.widths = {0}}, kTable); }),
              testing::HasSubstr("widths.0 must be at least 1, got 0"));
  EXPECT_THAT(error_of([] { mlp({.layers = 0}, kTable); }), testing::HasSubstr("layers"));
}

}  // namespace
}  // namespace retia
