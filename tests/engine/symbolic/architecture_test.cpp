#include "retia/engine/symbolic/architecture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Architecture, ComparesAndHashesByItsDecisions) {
  const Architecture a = {{"normal/0", {{3}}}, {"skip", {{0, 1}}}};
  Architecture b;
  b["skip"] = {{0, 1}};
  b["normal/0"] = {{3}};
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.hash(), b.hash());
  const std::vector<Architecture> unlike = {{},
                                            {{"normal/0", {{3}}}},
                                            {{"normal/0", {{3}}}, {"skip", {{0}}}},
                                            {{"normal/0", {{3}}}, {"skip", {{1, 0}}}},
                                            {{"normal/0", {{3, 0}}}, {"skip", {{1}}}},
                                            {{"normal/0", {}}, {"skip", {{3, 0, 1}}}},
                                            {{"normal/0skip", {{3}}}, {"", {{0, 1}}}},
                                            {{"normal/0", {{0, 1}}}, {"skip", {{3}}}}};
  std::set<uint64_t> hashes = {a.hash()};
  for (const Architecture& other : unlike) {
    EXPECT_NE(a, other);
    EXPECT_TRUE(hashes.insert(other.hash()).second) << other.to_string();
  }
}

TEST(Architecture, HashesTheSameOnEveryMachine) {
  EXPECT_EQ(Architecture().hash(), 1469598103934665603ULL);
  EXPECT_EQ((Architecture{{"a", {{1}}}}).hash(), 0xbe780f8e484981acULL);
}

TEST(Architecture, PrintsItsDecisions) {
  EXPECT_EQ((Architecture{{"normal/0", {{3}}}, {"skip", {{0, 1}}}, {"none", {}}}).to_string(),
            "{none: [], normal/0: 3, skip: [0, 1]}");
  EXPECT_EQ(Architecture().to_string(), "{}");
}

TEST(Architecture, NamesTheNearestLabelWhenOneIsMissing) {
  const Architecture a = {{"normal/0", {{3}}}};
  EXPECT_EQ(a.at("normal/0"), (Decision{{3}}));
  EXPECT_TRUE(a.contains("normal/0"));
  EXPECT_FALSE(a.contains("normal/1"));
  EXPECT_THAT(error_of([&] { a.at("norml/0"); }),
              HasSubstr("decides nothing for 'norml/0', a choice of the space with the options "
                        "given; did you mean 'normal/0'?"));
}

}  // namespace
}  // namespace retia
