#include "retia/engine/space/canonical.h"

#include <gmock/gmock.h>

#include "retia/engine/space/freeze.h"
#include "retia/models/spaces.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

void expect_the_forms_of_freezing(const ir::Graph& space, uint64_t seed) {
  const ir::CanonicalForms forms(space);
  EXPECT_EQ(forms.mutables(), ir::mutables(space));
  Random random(seed);
  for (int i = 0; i < 40; ++i) {
    const Architecture architecture = random_architecture_of(forms.mutables(), random);
    const std::string error = error_of([&] { ir::canonical(space, architecture); });
    if (error == "(no error)") {
      EXPECT_EQ(forms.of(architecture), ir::canonical(space, architecture)) << space.name();
    } else {  // a cell of NAS-Bench-101 with too many edges, or no path
      EXPECT_NE(error_of([&] { forms.of(architecture); }), "(no error)") << error;
    }
  }
}

TEST(CanonicalForms, AreThoseOfFreezingInASpaceWithEveryChoice) {
  expect_the_forms_of_freezing(every_choice_space(), 1);
}

TEST(CanonicalForms, AreThoseOfFreezingInEverySpaceOfTheTable) {
  const SpaceTable spaces = standard_spaces();
  for (const std::string& name : spaces.names()) {
    const std::vector<int64_t> input =
        name == "mlp" ? std::vector<int64_t>{4} : std::vector<int64_t>{3, 32, 32};
    const ir::Space space = spaces.search(name, Json::object(), {input, 10});
    if (space.mutators().empty()) {
      expect_the_forms_of_freezing(space.graph(), 2);
    }
  }
}

TEST(CanonicalForms, ReachTheValuesThatShapeNothing) {
  Builder b("nothing");
  const Wire x = b.input("x", {4});
  const Wire wide =
      b.add("wide", ops::linear({.out = ValueChoice<int64_t>("width", {8, 16})}), {x});
  b.output("y", b.input_choice("any", {wide}, {.n_chosen = std::nullopt, .label = "any"}));
  expect_the_forms_of_freezing(b.finish(), 3);
}

TEST(CanonicalForms, RefuseWhatDecidesTooLittleOrTooMuch) {
  const ir::CanonicalForms forms(every_choice_space());
  EXPECT_THAT(error_of([&] { forms.of({}); }), testing::HasSubstr("decides nothing for"));
  Random random(1);
  Architecture architecture = random_architecture_of(forms.mutables(), random);
  architecture["frist"].chosen = {0};
  EXPECT_THAT(error_of([&] { forms.of(architecture); }),
              testing::HasSubstr("did you mean 'first'?"));
}

}  // namespace
}  // namespace retia
