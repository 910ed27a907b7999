#include "retia/mutators/spos.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/mutators/chi_square.h"

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
  SposMutator mutator(*network, {.seed = 5}, {no_convolution});
  std::map<Architecture, int64_t> counts;
  for (int i = 0; i < 8000; ++i) {
    mutator.reset();
    ++counts[mutator.current()];
  }
  EXPECT_EQ(counts.size(), 8);
  EXPECT_LT(strangeness(counts, 8), 5);
  Network other = chain();
  SposMutator none(*other, {.seed = 5}, {[](const Architecture&) { return false; }});
  EXPECT_THAT(error_of([&] { none.reset(); }), HasSubstr("widen it (algorithm.window)"));
}

// A range of costs is drawn once and held until an architecture is in it: drawn anew at each try,
// the range of few architectures would be trained seldom.
TEST(SposMutator, DrawsFromEveryFilterEquallyOftenHoweverFewItAdmits) {
  Network network = chain();
  const auto is_first = [](const Architecture& path) {
    return path == Architecture{{"a", {{0}}}, {"b", {{0}}}};
  };
  const auto is_other = [=](const Architecture& path) { return !is_first(path); };
  const auto is_none = [](const Architecture&) { return false; };
  SposMutator mutator(*network, {.seed = 5}, {is_first, is_other});
  int64_t n_first = 0;
  for (int i = 0; i < 4000; ++i) {
    n_first += is_first(mutator.sample_search()) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(n_first), 2000, 5 * std::sqrt(1000));
  Network other = chain();
  SposMutator with_empty(*other, {.seed = 5}, {is_none, is_first});
  EXPECT_TRUE(is_first(with_empty.sample_search()));
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
