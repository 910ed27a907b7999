#include "retia/kernels/stencil/geometry.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include <set>
#include <utility>
#include <vector>

namespace retia::kernels {
namespace {

using testing::ElementsAre;

std::vector<int64_t> first(const Offsets& table, int64_t n) {
  return {table.begin(), table.begin() + n};
}

/// A 2 by 3 image of 8 channels in a border of 1: rows of 5 pixels, so of 40 numbers.
TEST(Geometry, LaysAnImageIntoATile) {
  const Geometry g(2, 3, 1, 1, 8);
  EXPECT_EQ(g.in.row(), 40);
  EXPECT_EQ(g.in.spare(), 4 * 40);
  EXPECT_EQ(g.in.size(), 4 * 40 + 8);
  EXPECT_THAT(first(g.in_read, 6), ElementsAre(48, 56, 64, 88, 96, 104));
  EXPECT_THAT(first(g.centres, 6), ElementsAre(48, 56, 64, 88, 96, 104));
  EXPECT_THAT(first(g.flat, 6), ElementsAre(0, 8, 16, 24, 32, 40));
}

TEST(Geometry, FillsTablesUpToGroups) {
  const Geometry g(2, 3, 1, 1, 8);
  ASSERT_EQ(g.in_read.size(), 8u);
  EXPECT_EQ(g.in_read[7], 104) << "the last again, to read";
  ASSERT_EQ(g.in_write.size(), 8u);
  EXPECT_EQ(g.in_write[6], g.in.spare()) << "a pixel that nobody reads, to write";
}

TEST(Geometry, TakesEachPixelOfAStride) {
  const Geometry g(5, 4, 1, 2, 8);
  EXPECT_EQ(g.n_in, 20);
  EXPECT_EQ(g.n_out, 3 * 2);
  EXPECT_EQ(g.n_out_whole, 8);
  EXPECT_THAT(first(g.centres, 6), ElementsAre(g.in.at(0, 0), g.in.at(0, 2), g.in.at(2, 0),
                                               g.in.at(2, 2), g.in.at(4, 0), g.in.at(4, 2)));
}

TEST(Geometry, DividesInputsIntoPhases) {
  for (const auto& [height, width, stride] :
       std::vector<std::tuple<int64_t, int64_t, int64_t>>{{5, 4, 2}, {7, 7, 3}, {2, 3, 1}}) {
    const Geometry g(height, width, 2, stride, 8);
    std::multiset<int64_t> covered, all;
    for (const Phase& phase : g.phases) {
      for (const int64_t to : first(phase.to, phase.n)) {
        covered.insert(to);
      }
    }
    for (const int64_t to : first(g.in_read, g.n_in)) {
      all.insert(to);
    }
    EXPECT_EQ(covered, all);
  }
}

TEST(Taps, GoRowByRowAboutTheMiddle) {
  std::vector<std::pair<int64_t, int64_t>> taps;
  for (const Tap& tap : taps_of(3, 2)) {
    taps.emplace_back(tap.y, tap.x);
  }
  using P = std::pair<int64_t, int64_t>;
  EXPECT_THAT(taps, ElementsAre(P(-2, -2), P(-2, 0), P(-2, 2), P(0, -2), P(0, 0), P(0, 2), P(2, -2),
                                P(2, 0), P(2, 2)));
}

TEST(PackStencil, PutsChannelsSideBySide) {
  const Numbers<double> packed =
      pack_stencil<double>(at::arange(18, at::kDouble).view({2, 1, 3, 3}), 8);
  for (int64_t t = 0; t < 9; ++t) {
    EXPECT_EQ(packed[t * 8], static_cast<double>(t));
    EXPECT_EQ(packed[t * 8 + 1], static_cast<double>(9 + t));
    EXPECT_EQ(packed[t * 8 + 2], 0) << "channels that were added";
  }
}

/// Each pair of an output and an input under a tap of that output is visited once, with the weight
/// of the tap.
TEST(TapsThrough, CarryEachGradientBackOnce) {
  for (const int64_t stride : {1, 2, 3}) {
    const int64_t height = 6, width = 5, border = 4, c = 8;
    const Geometry g(height, width, border, stride, c);
    const std::vector<Tap> taps = taps_of(3, 2);
    const Numbers<double> weights(9 * c);
    for (int64_t t = 0; t < 9; ++t) {
      weights[t * c] = static_cast<double>(t + 1);
    }
    using Visit = std::tuple<int64_t, int64_t, double>;  // output, input, weight
    std::multiset<Visit> wanted, found;
    for (int64_t i = 0; i < g.n_out; ++i) {
      const int64_t y = i / g.out.width, x = i % g.out.width;
      for (size_t t = 0; t < taps.size(); ++t) {
        const int64_t at_y = y * stride + taps[t].y, at_x = x * stride + taps[t].x;
        if (at_y >= 0 && at_y < height && at_x >= 0 && at_x < width) {
          wanted.emplace(g.out.at(y, x), g.in.at(at_y, at_x), static_cast<double>(t + 1));
        }
      }
    }
    std::set<int64_t> outputs;
    for (const int64_t out : first(g.out_read, g.n_out)) {
      outputs.insert(out);
    }
    for (const Phase& phase : g.phases) {
      const PhaseTaps<double> through = taps_through(phase, g, taps, weights);
      for (int64_t p = 0; p < phase.n; ++p) {
        for (size_t t = 0; t < through.taps.size(); ++t) {
          const int64_t out = phase.from[static_cast<size_t>(p)] + through.taps[t];
          if (outputs.count(out) > 0) {  // the rest are zeros of the border
            found.emplace(out, phase.to[static_cast<size_t>(p)],
                          through.weights[static_cast<int64_t>(t) * c]);
          }
        }
      }
    }
    EXPECT_EQ(found, wanted) << "stride " << stride;
  }
}

}  // namespace
}  // namespace retia::kernels
