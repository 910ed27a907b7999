#include "retia/mutators/skip_connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/models/darts_cnn.h"
#include "retia/tests/engine/example_spaces.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// Of the search network of DARTS with one normal and two reduction cells of two nodes.
class SkipConnections : public testing::Test {
 protected:
  static constexpr int64_t kSkip = 3, kConv = 4;

  ir::Graph space(double skip_dropout = 0) const {
    return darts_cnn({.channels = 4, .layers = 3, .nodes = 2, .skip_dropout = skip_dropout},
                     {{1, 8, 8}, 2});
  }
  /// Every edge convolves, and the second node reads node 0 and 2.
  Architecture convolutions() const {
    Architecture architecture;
    for (const Mutable& choice : ir::mutables(space())) {
      const bool is_layer = choice.kind == MutableKind::LayerChoice;
      architecture[choice.label].chosen = is_layer
                                              ? std::vector<int64_t>{kConv}
                                              : std::vector<int64_t>{0, choice.n_candidates() - 1};
    }
    return architecture;
  }
};

TEST_F(SkipConnections, AreTheCandidatesThatHandOnWhatTheyRead) {
  for (const double dropout : {0.0, 0.5}) {
    const auto skips = skip_candidates(space(dropout));
    EXPECT_EQ(skips.at("normal/0-2"), kSkip);
    EXPECT_EQ(skips.at("reduce/2-3"), kSkip);
    EXPECT_EQ(skips.count("reduce/0-2"), 0) << "there it halves the image";
  }
}

TEST_F(SkipConnections, CountWhereTheyAreKeptInANormalCell) {
  Architecture architecture = convolutions();
  EXPECT_THAT(kept_skips(space(), architecture), IsEmpty());
  architecture["normal/0-2"].chosen = {kSkip};
  architecture["normal/2-3"].chosen = {kSkip};
  architecture["normal/1-3"].chosen = {kSkip};  // on an edge that node 3 does not keep
  architecture["reduce/2-3"].chosen = {kSkip};
  EXPECT_THAT(kept_skips(space(), architecture),
              ElementsAre(Pair("normal", ElementsAre("normal/0-2", "normal/2-3"))));
}

TEST_F(SkipConnections, AreFoundInsideOfCandidates) {
  Builder b("net");
  const auto deep = [](Builder& inner, Wire x) {
    return inner.layer_choice("inner", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x});
  };
  b.output("y", b.layer_choice("outer", {{"deep", deep}, {"flat", ops::relu()}},
                               {b.input("x", {2, 4, 4})}));
  EXPECT_THAT(skip_candidates(b.finish()), ElementsAre(Pair("outer/deep/inner", 1)));
}

}  // namespace
}  // namespace retia
