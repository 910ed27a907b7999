#include "retia/engine/space/setting.h"

#include <gmock/gmock.h>

#include "retia/engine/space/space.h"
#include "retia/tests/engine/mutated_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/strategies/spaces.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json choice_json(const std::string& label, const Json& options) {
  return {{"choice", label}, {"options", options}};
}

/// lr is one of two, or a warm-up's half; decay of them is reached with the second only.
std::vector<Setting> settings() {
  return settings_in({{"lr", choice_json("lr", {0.1, choice_json("small", {0.01, 0.02})})},
                      {"optimizer", {{"name", choice_json("kind", {"sgd", "adam"})}}},
                      {"epochs", 3}},
                     "evaluator");
}

TEST(Setting, IsAnyOptionThatIsNotDecided) {
  const std::vector<Setting> found = settings();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].path, "evaluator.lr");
  EXPECT_EQ(found[1].path, "evaluator.optimizer.name");
  EXPECT_EQ(found[1].value.options(), (std::vector<Json>{"sgd", "adam"}));
  const Json sum = {{"op", "+"}, {"operands", {1, 2}}};
  EXPECT_TRUE(settings_in({{"epochs", sum}, {"seed", 1}}, "evaluator").empty());
}

TEST(Setting, NamesTheOptionThatIsWrong) {
  EXPECT_THAT(error_of([] {
                settings_in({{"lr", choice_json("", {1, 2})}}, "evaluator");
              }),
              HasSubstr("evaluator.lr: expected a label for its choice"));
  EXPECT_THAT(error_of([] {
                settings_in({{"lr", {{"choice", "lr"}}}}, "evaluator");
              }),
              HasSubstr("evaluator.lr: expected an expression like"));
}

TEST(Setting, JoinsTheDecisionsOfASpaceWhoseModelsIgnoreIt) {
  const Space models = two_by_two();
  const Space space = models.with(settings());
  ASSERT_EQ(space.mutables().size(), models.mutables().size() + 3);
  const Mutable& lr = space.mutables()[2];
  EXPECT_EQ(lr.label, "lr");
  EXPECT_EQ(lr.kind, MutableKind::ValueChoice);
  EXPECT_THAT(lr.names, ElementsAre("0.1", "small{0.01,0.02}"));
  EXPECT_TRUE(is_setting(lr));
  EXPECT_FALSE(is_setting(space.mutables()[0]));
  const Architecture of_model = {{"first", {{1}}}, {"second", {{0}}}};
  Architecture all = of_model;
  all["lr"] = {{1}};
  all["small"] = {{0}};
  all["kind"] = {{1}};
  EXPECT_EQ(space.canonical(all), all);
  EXPECT_EQ(space.of_models(all), of_model);
  EXPECT_EQ(space.model(all), models.model(of_model));
  EXPECT_EQ(models.with({}), models);
  EXPECT_NE(space, models);
}

TEST(Setting, IsDroppedWhereNothingReachesIt) {
  const Space space = Space(two_by_two()).with(settings());
  Architecture all = space.completed({{"small", {{1}}}});
  Architecture reached = all;
  EXPECT_FALSE(space.canonical(all).contains("small"));
  all["lr"] = {{1}};
  EXPECT_TRUE(space.canonical(all).contains("small"));
  const Architecture undecided = {{"first", {{0}}}, {"second", {{0}}}, {"kind", {{0}}}};
  EXPECT_THAT(error_of([&] { space.canonical(undecided); }), HasSubstr("lr"));
}

TEST(Setting, MayShareALabelOfTheModelsWithEqualCandidates) {
  const Space models = widths();
  const auto with = [&](const Json& options) {
    return models.with(settings_in({{"batch_size", choice_json("width", options)}}, "evaluator"));
  };
  const Space space = with({8, 16, 32});
  EXPECT_EQ(space.mutables(), models.mutables());
  const Architecture architecture = {{"width", {{2}}}, {"last", {{0}}}};
  EXPECT_EQ(space.canonical(architecture), architecture);
  EXPECT_EQ(space.of_models(architecture), architecture);
  EXPECT_EQ(space.settings()[0].value.at(architecture).value(), 32);
  EXPECT_THAT(error_of([&] {
                with({8, 64});
              }),
              HasSubstr("evaluator.batch_size: label 'width' has candidates [8, 16, 32] in one "
                        "place and [8, 64] in another"));
}

TEST(Setting, StandsBesideGraphMutatorsToo) {
  const Space models = operations_space();
  const Space space = models.with(settings());
  Architecture all = space.completed({});
  const Architecture canonical = space.canonical(all);
  EXPECT_EQ(space.of_models(canonical), models.canonical(models.completed({})));
  EXPECT_TRUE(canonical.contains("lr"));
  EXPECT_EQ(space.model(canonical), models.model(models.completed({})));
}

}  // namespace
}  // namespace retia::ir
