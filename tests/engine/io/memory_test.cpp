#include "retia/engine/io/memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace retia {
namespace {

TEST(PeakMemory, CountsWhatWasTouchedAndGivenBack) {
  take_peak_memory();
  const double before = take_peak_memory();
  { const std::vector<char> large(200 << 20, 1); }
  EXPECT_GT(take_peak_memory(), before + 150);
}

TEST(PeakMemory, BeginsAnewWhereTheSystemLetsIt) {
  { const std::vector<char> large(200 << 20, 1); }
  const double with = take_peak_memory();
  const double without = take_peak_memory();
  EXPECT_LE(without, with);
}

}  // namespace
}  // namespace retia
