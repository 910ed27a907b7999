#include "retia/models/spaces.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

struct LineOptions {
  int64_t width = 3;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LineOptions, width)

ir::Graph line(const LineOptions& options, const Task& task) {
  Builder b("line");
  const Wire x = b.input("x", {task.input.begin(), task.input.end()});
  const Wire hidden = b.add("hidden", ops::linear({.out = options.width}), {x});
  b.output("y", b.add("head", ops::linear({.out = task.n_outputs}), {hidden}));
  return b.finish();
}

TEST(SpaceTable, BuildsEveryStandardSpaceWithItsDefaults) {
  const SpaceTable spaces = standard_spaces();
  EXPECT_THAT(spaces.names(), testing::IsSupersetOf({"darts_cnn", "mobile", "tiny"}));
  for (const std::string& name : spaces.names()) {
    const ir::Space search = spaces.search(name, Json::object(), kDigits);
    const ir::Space evaluation = spaces.evaluation(name, Json::object(), kDigits);
    EXPECT_EQ(search.name(), name);
    EXPECT_EQ(evaluation.name(), name);
    std::map<std::string, std::vector<std::string>> labels, evaluation_labels;
    for (const Mutable& choice : search.mutables()) {
      labels[choice.label] = choice.names;
    }
    for (const Mutable& choice : evaluation.mutables()) {
      evaluation_labels[choice.label] = choice.names;
    }
    EXPECT_EQ(labels, evaluation_labels) << name;
  }
}

TEST(SpaceTable, GivesTheDefaultsOfBothNetworks) {
  const SpaceTable spaces = standard_spaces();
  const Json search = {{"channels", 16},
                       {"layers", 8},
                       {"nodes", 4},
                       {"partial_channels", 1},
                       {"skip_dropout", 0.0}};
  const Json evaluation = {
      {"channels", 36}, {"layers", 20}, {"nodes", 4}, {"auxiliary", true}, {"drop_path", 0.2}};
  EXPECT_EQ(spaces.search_options("darts_cnn"), search);
  EXPECT_EQ(spaces.evaluation_options("darts_cnn"), evaluation);
  EXPECT_EQ(spaces.evaluation_options("tiny"), spaces.search_options("tiny"));
}

TEST(SpaceTable, PassesOptionsOn) {
  const SpaceTable spaces = standard_spaces();
  EXPECT_TRUE(spaces.search("darts_cnn", {{"layers", 2}, {"nodes", 1}}, kDigits) !=
              spaces.search("darts_cnn", {{"layers", 2}, {"nodes", 2}}, kDigits));
}

TEST(SpaceTable, NamesTheNearestOfAnUnknownSpaceOrOption) {
  const SpaceTable spaces = standard_spaces();
  EXPECT_EQ(error_of([&] { spaces.search("dart_cnn", Json::object(), kDigits); }),
            "unknown space 'dart_cnn'; did you mean 'darts_cnn'?");
  EXPECT_EQ(error_of([&] {
              spaces.search("darts_cnn", {{"layer", 2}}, kDigits);
            }),
            "space 'darts_cnn': unknown key 'layer'; did you mean 'layers'?");
  EXPECT_THAT(error_of([&] {
                spaces.evaluation("darts_cnn", {{"layers", "2"}}, kDigits);
              }),
              testing::HasSubstr("expected an integer"));
}

TEST(SpaceTable, TakesSpacesOfTheUsers) {
  SpaceTable spaces = standard_spaces();
  spaces.add("mine", &line);
  const ir::Graph graph = spaces.evaluation("mine", {{"width", 5}}, {{2}, 1}).graph();
  EXPECT_EQ(count_parameters(*Network(graph, 1)), 2 * 5 + 5 + 5 + 1);
  EXPECT_THAT(error_of([&] { spaces.add("mine", &line); }),
              testing::HasSubstr("in the table already"));
}

}  // namespace
}  // namespace retia
