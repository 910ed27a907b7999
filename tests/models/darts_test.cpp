#include "retia/models/darts.h"

#include "retia/engine/cost/profile.h"
#include "retia/tests/error_of.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

using testing::HasSubstr;

const DartsBaseOptions kSmallDarts{.channels = 4, .layers = 3, .nodes = 3};

/// The network that architectures of darts_cnn are trained in, at the same size.
ir::Graph inline_network() {
  return darts_cnn_evaluation(
      {.channels = 4, .layers = 3, .nodes = 3, .auxiliary = false, .drop_path = 0}, kDigits);
}

TEST(Darts, DecidesWhatTheInlineSpaceDecides) {
  std::map<std::string, std::vector<std::string>> decided, expected;
  const ir::Space space = darts(kSmallDarts, kDigits);
  for (const Mutable& choice : space.mutables()) {
    decided[choice.label] = choice.names;
  }
  for (const Mutable& choice : ir::mutables(inline_network())) {
    expected[choice.label] = choice.names;
  }
  EXPECT_EQ(decided, expected);
}

TEST(Darts, MakesTheModelsOfTheInlineSpaceUnderTheSameNames) {
  const ir::Space space = darts(kSmallDarts, kDigits);
  const ir::Graph inline_space = inline_network();
  Random random(5);
  const at::Tensor batch = random_batch(3, kDigits.input, 1);
  for (int i = 0; i < 20; ++i) {
    const Architecture architecture = random_architecture(space.mutables(), random);
    EXPECT_EQ(space.canonical(architecture), ir::canonical(inline_space, architecture));
    Network expected(ir::freeze(inline_space, architecture), 1),
        found(space.model(architecture), 2);
    expected->to(at::kDouble);
    found->to(at::kDouble);
    ASSERT_EQ(count_parameters(*found), count_parameters(*expected)) << architecture.to_string();
    load_by_name(*found, *expected);
    const at::Tensor difference = found->forward(batch) - expected->forward(batch);
    EXPECT_LE(difference.abs().max().item<double>(), 1e-12) << architecture.to_string();
  }
}

TEST(Darts, HasABaseThatReadsBackEqual) { expect_reads_back_equal(darts_base({}, kDigits)); }

TEST(Darts, RefusesSizesBelowOne) {
  EXPECT_THAT(error_of([] { darts({.layers = 0}, kDigits); }),
              HasSubstr("space 'darts'.layers must be at least 1, got 0"));
}

}  // namespace
}  // namespace retia
