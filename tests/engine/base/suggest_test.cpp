#include "retia/engine/base/suggest.h"

#include <gtest/gtest.h>

namespace retia {
namespace {

const std::vector<std::string> kSpaces = {"tiny", "darts_cnn", "spos_chain", "mobile"};

TEST(Suggestion, NamesTheNearestForATypingError) {
  EXPECT_EQ(suggestion("dart_cnn", kSpaces), "; did you mean 'darts_cnn'?");
  EXPECT_EQ(suggestion("darst_cnn", kSpaces), "; did you mean 'darts_cnn'?");
  EXPECT_EQ(suggestion("tinny", kSpaces), "; did you mean 'tiny'?");
}

TEST(Suggestion, LooksPastLetterCaseAndDashes) {
  EXPECT_EQ(suggestion("DARTS-CNN", kSpaces), "; did you mean 'darts_cnn'?");
}

TEST(Suggestion, PrefersTheSmallerDistance) {
  EXPECT_EQ(suggestion("layer", {"layers_each", "layers", "player_"}), "; did you mean 'layers'?");
}

TEST(Suggestion, CountsASwapOfNeighboursAsOneError) {
  EXPECT_EQ(suggestion("lyaer", {"lower", "layer"}), "; did you mean 'layer'?");
}

TEST(Suggestion, ListsKnownNamesSortedWhenNoneIsNear) {
  EXPECT_EQ(suggestion("resnet", kSpaces), "; known: darts_cnn, mobile, spos_chain, tiny");
  EXPECT_EQ(suggestion("", kSpaces), "; known: darts_cnn, mobile, spos_chain, tiny");
}

TEST(Suggestion, DoesNotTakeOneLetterForAnother) {
  EXPECT_EQ(suggestion("x", {"y"}), "; known: y");
}

TEST(Suggestion, CutsALongList) {
  std::vector<std::string> names;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    names.emplace_back(5, letter);
  }
  const std::string text = suggestion("0", names);
  EXPECT_NE(text.find("lllll, ... (26 in all)"), std::string::npos) << text;
  EXPECT_EQ(text.find("mmmmm"), std::string::npos) << text;
}

TEST(Suggestion, IsEmptyWhenNothingIsKnown) { EXPECT_EQ(suggestion("a", {}), ""); }

}  // namespace
}  // namespace retia
