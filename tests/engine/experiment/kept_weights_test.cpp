#include "retia/engine/experiment/kept_weights.h"

#include <gmock/gmock.h>

#include "retia/engine/base/random.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class KeptWeightsTest : public testing::Test {
 protected:
  /// What a trial leaves.
  void leave(int64_t id) const {
    std::filesystem::create_directories(folder / std::to_string(id));
    write_plainly(folder / (std::to_string(id) + "/step-000001.safetensors"), "weights");
  }
  static void tell(KeptWeights& weights, const Proposal& trial, std::optional<double> gain) {
    weights.tell(trial, gain ? std::optional(standing({}, *gain, trial.id)) : std::nullopt);
  }
  void end(KeptWeights& weights, const Proposal& trial, std::optional<double> gain) const {
    leave(trial.id);
    tell(weights, trial, gain);
  }
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  const TemporaryFolder folder;
};

TEST_F(KeptWeightsTest, StayOfTheBestAndOfEqualOnesOfTheEarlier) {
  KeptWeights weights(folder.path(), 2);
  end(weights, {.id = 0}, 1);
  end(weights, {.id = 1}, 3);
  EXPECT_THAT(left(), UnorderedElementsAre("0", "1"));
  end(weights, {.id = 2}, 2);
  EXPECT_THAT(left(), UnorderedElementsAre("1", "2"));
  end(weights, {.id = 3}, 2);
  EXPECT_THAT(left(), UnorderedElementsAre("1", "2"));
  end(weights, {.id = 4}, std::nullopt);
  EXPECT_THAT(left(), UnorderedElementsAre("1", "2"));
  EXPECT_EQ(weights.of(1), folder / "1");
  EXPECT_EQ(weights.of(0), "");
}

TEST_F(KeptWeightsTest, StayOfWhatMayBeContinuedUntilItWas) {
  KeptWeights weights(folder.path(), 0);
  end(weights, {.id = 0, .epochs = 1}, 5);
  end(weights, {.id = 1, .epochs = 1}, 4);
  end(weights, {.id = 2}, 9);
  EXPECT_THAT(left(), UnorderedElementsAre("0", "1"));
  end(weights, {.id = 3, .epochs = 3, .continues = 0}, 6);
  EXPECT_THAT(left(), UnorderedElementsAre("1", "3"));
  end(weights, {.id = 4, .epochs = 3, .continues = 1}, std::nullopt);
  EXPECT_THAT(left(), UnorderedElementsAre("3"));
  weights.finish();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(KeptWeightsTest, StayOfTheBestAlsoWhereContinuedOrOver) {
  KeptWeights weights(folder.path(), 1);
  end(weights, {.id = 0, .epochs = 1}, 5);
  end(weights, {.id = 1, .epochs = 3, .continues = 0}, 4);
  EXPECT_THAT(left(), UnorderedElementsAre("0", "1"));
  weights.finish();
  EXPECT_THAT(left(), UnorderedElementsAre("0"));
}

TEST_F(KeptWeightsTest, AreTheSameWhenToldAgain) {
  Random random(2);
  std::vector<std::pair<Proposal, std::optional<double>>> told;
  KeptWeights weights(folder.path(), 3);
  for (int64_t id = 0; id < 60; ++id) {
    Proposal trial{.id = id, .epochs = random.below(2)};
    const bool continues = id > 4 && trial.epochs > 0 && random.below(2) == 0;
    trial.continues = continues ? random.below(id) : -1;
    const auto gain = random.below(5) == 0 ? std::nullopt : std::optional(random.uniform());
    told.emplace_back(trial, gain);
    end(weights, trial, gain);
  }
  const std::vector<std::string> before = left();
  EXPECT_GE(before.size(), 3u);
  KeptWeights again(folder.path(), 3);
  for (const auto& [trial, gain] : told) {
    tell(again, trial, gain);
  }
  EXPECT_THAT(left(), testing::UnorderedElementsAreArray(before));
}

TEST_F(KeptWeightsTest, NeedNoFolderAndNoNegativeNumber) {
  KeptWeights weights(folder / "missing", 1);
  tell(weights, {.id = 0}, 1);
  EXPECT_EQ(error_of([&] { KeptWeights(folder.path(), -1); }),
            "experiment: keep_weights must be at least 0, got -1");
}

}  // namespace
}  // namespace retia
