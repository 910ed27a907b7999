#include "mutators/one_shot/spos.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/executor/network.h"
#include "tests/engine/example_spaces.h"
#include "tests/error_of.h"
#include "tests/mutators/one_shot/chi_square.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Two layer choices of four and three candidates.
Network chain() {
  Builder b("chain");
  Wire x = b.input("x", {2, 4, 4});
  x = b.layer_choice("a",
                     {{"relu", ops::relu()},
                      {"skip", ops::identity()},
                      {"max", ops::max_pool2d()},
                      {"none", ops::zero()}},
                     {x});
  x = b.layer_choice(
      "b", {{"relu", ops::relu()}, {"skip", ops::identity()}, {"conv", ops::conv2d({})}}, {x});
  b.output("y", x);
  return Network(b.finish(), 1);
}

TEST(SposMutator, DrawsEveryPathEquallyOftenAndItsChoicesIndependently) {
  Network network = chain();
  SposMutator mutator(*network, {.seed = 5});
  std::map<Architecture, int64_t> counts;
  for (int i = 0; i < 12000; ++i) {
    mutator.reset();
    ++counts[mutator.current()];
  }
  EXPECT_EQ(counts.size(), 12);
  EXPECT_LT(strangeness(counts, 12), 5);
}

TEST(SposMutator, DrawsFromWhatIsAdmittedEquallyOften) {
  Network network = chain();
  const auto no_convolution = [](const Architecture& path) {
    return path.at("b").chosen.front() != 2;
  };
  SposMutator mutator(*network, {.seed = 5}, no_convolution);
  std::map<Architecture, int64_t> counts;
  for (int i = 0; i < 8000; ++i) {
    mutator.reset();
    ++counts[mutator.current()];
  }
  EXPECT_EQ(counts.size(), 8);
  EXPECT_LT(strangeness(counts, 8), 5);
  Network other = chain();
  SposMutator none(*other, {.seed = 5}, [](const Architecture&) { return false; });
  EXPECT_THAT(error_of([&] { none.reset(); }), HasSubstr("widen it (algorithm.window)"));
}

TEST(SposMutator, RefusesAChoiceOfAnyNumberOfInputs) {
  Network network(every_choice_space(), 1);
  EXPECT_THAT(error_of([&] { SposMutator(*network, {}); }),
              HasSubstr("spos trains one path, but 'second/deep/join' may choose any number"));
  AppliedMutator mutator(*network);  // the network is free again
  EXPECT_EQ(mutator.mutables().size(), 8);
}

}  // namespace
}  // namespace retia
