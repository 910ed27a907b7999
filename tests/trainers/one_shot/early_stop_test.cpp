#include "retia/trainers/one_shot/early_stop.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Tells eigenvalues until the search is to end; alphas stand at the number of the epoch. Returns
/// the epochs told.
int64_t epochs_until_end(EarlyStop& stop, const at::Tensor& alpha,
                         const std::vector<double>& eigenvalues) {
  int64_t epoch = 0;
  for (const double eigenvalue : eigenvalues) {
    at::Tensor target = alpha;
    target.fill_(epoch++);
    stop.tell_eigenvalue(eigenvalue);
    if (!stop.reason().empty()) {
      break;
    }
  }
  return epoch;
}

class EarlyStopByEigenvalue : public testing::Test {
 protected:
  at::Tensor alpha_ = at::full({2}, -1.0);
  EarlyStop stop_{{.eigenvalue_ratio = 0.75, .window = 2}, {{"op", alpha_}}};
};

// m(1) = 1, m(2) = 1, m(3) = 1.2, m(4) = 1.4; m(2) / m(4) = 0.71 < 0.75.
TEST_F(EarlyStopByEigenvalue, EndsWhereTheMeanGrewByAThirdAndGoesBackToTheAlphasBefore) {
  EXPECT_EQ(epochs_until_end(stop_, alpha_, {1, 1, 1, 1.4, 1.4, 9, 9}), 5);
  EXPECT_THAT(stop_.reason(), HasSubstr("grew in 2 epochs from 1 to 1.4"));
  EXPECT_EQ(alpha_[0].item<double>(), 2);  // those of epoch 4 - 2
}

TEST_F(EarlyStopByEigenvalue, GoesOnWhileTheMeanGrowsLess) {
  EXPECT_EQ(epochs_until_end(stop_, alpha_, {1, 1, 1.3, 1.3, 1.6, 1.6}), 6);
  EXPECT_EQ(stop_.reason(), "");
  EXPECT_EQ(alpha_[0].item<double>(), 5);
}

TEST_F(EarlyStopByEigenvalue, SmoothesOutAPeak) {
  EarlyStop smooth({.eigenvalue_ratio = 0.75, .window = 5}, {{"op", alpha_}});
  epochs_until_end(smooth, alpha_, {1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1});
  EXPECT_EQ(smooth.reason(), "");
}

TEST_F(EarlyStopByEigenvalue, JudgesNegativeEigenvaluesByTheirOrder) {
  epochs_until_end(stop_, alpha_, {-1, -1, -1, -1, -1});
  EXPECT_EQ(stop_.reason(), "") << "nothing has grown";
}

TEST_F(EarlyStopByEigenvalue, DecidesAlikeAfterItWasSaved) {
  epochs_until_end(stop_, alpha_, {1, 1, 1, 1.4});
  Checkpoint saved;
  stop_.save(saved);
  const at::Tensor other = at::full({2}, -1.0);
  EarlyStop resumed({.eigenvalue_ratio = 0.75, .window = 2}, {{"op", other}});
  resumed.load(saved);
  resumed.tell_eigenvalue(1.4);
  EXPECT_THAT(resumed.reason(), HasSubstr("from 1 to 1.4"));
  EXPECT_EQ(other[0].item<double>(), 2);
}

TEST(EarlyStop, EndsAtSoManySkipConnections) {
  EarlyStop stop({.skip_connections = 2}, {});
  stop.tell_skips(1);
  EXPECT_EQ(stop.reason(), "");
  stop.tell_skips(3);
  EXPECT_EQ(stop.reason(), "a normal cell keeps 3 skip connections");
}

TEST(EarlyStop, WatchesNothingByDefault) {
  const EarlyStop stop({}, {});
  EXPECT_FALSE(stop.watches());
}

TEST(EarlyStop, RefusesOptionsOutOfRange) {
  EXPECT_THAT(error_of([] { EarlyStop({.skip_connections = -1}, {}); }),
              HasSubstr("skip_connections must be at least 0, got -1"));
  EXPECT_THAT(error_of([] { EarlyStop({.eigenvalue_ratio = 1}, {}); }),
              HasSubstr("eigenvalue_ratio must be below 1, got 1"));
  EXPECT_THAT(error_of([] { EarlyStop({.window = 0}, {}); }),
              HasSubstr("window must be at least 1, got 0"));
}

}  // namespace
}  // namespace retia
