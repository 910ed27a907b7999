#include "retia/engine/space/search_space_json.h"

#include <gmock/gmock.h>

#include "retia/engine/base/random.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/space.h"
#include "retia/tests/engine/mutated_spaces.h"

namespace retia {
namespace {

const std::vector<Mutable> kExported = {
    {.label = "op", .names = {"conv3x3", "skip"}},
    {.label = "one", .kind = MutableKind::InputChoice, .names = {"stem", "body"}},
    {.label = "two", .kind = MutableKind::InputChoice, .names = {"a", "b", "c"}, .n_chosen = 2},
    {.label = "any",
     .kind = MutableKind::InputChoice,
     .names = {"x", "y"},
     .n_chosen = std::nullopt},
    {.label = "width", .kind = MutableKind::ValueChoice, .names = {"64", "128"}},
    {.label = "rate", .kind = MutableKind::ValueChoice, .names = {"0.1", "0.5"}},
    {.label = "mode", .kind = MutableKind::ValueChoice, .names = {"same", "valid"}},
    {.label = "equal", .kind = MutableKind::ValueChoice, .names = {"8", "8"}},
};

/// What a tuner that knows nothing but the search space answers.
Json tuned(const Json& search_space, Random& random) {
  Json parameters = Json::object();
  for (const auto& [label, choice] : search_space.items()) {
    const Json& value = choice.at("_value");
    const bool inputs = choice.at("_type") == "input_choice";
    const Json& candidates = inputs ? value.at("candidates") : value;
    const auto n = static_cast<int64_t>(candidates.size());
    if (!inputs) {
      const int64_t index = random.below(n);
      parameters[label] = {{"_value", candidates.at(static_cast<size_t>(index))}, {"_idx", index}};
      continue;
    }
    const int64_t n_chosen =
        value.at("n_chosen").is_null() ? random.below(n + 1) : value.at("n_chosen").get<int64_t>();
    parameters[label] = {{"_value", Json::array()}, {"_idx", random.choose(n_chosen, n)}};
    for (const Json& index : parameters[label]["_idx"]) {
      parameters[label]["_value"].push_back(candidates.at(index.get<size_t>()));
    }
  }
  return parameters;
}

TEST(SearchSpaceJson, DescribesEveryKindOfChoice) {
  EXPECT_EQ(search_space_to_json(kExported), Json::parse(R"({
        "op": {"_type": "layer_choice", "_value": ["conv3x3", "skip"]},
        "one": {"_type": "input_choice", "_value": {"candidates": ["stem", "body"], "n_chosen": 1}},
        "two": {"_type": "input_choice", "_value": {"candidates": ["a", "b", "c"], "n_chosen": 2}},
        "any": {"_type": "input_choice", "_value": {"candidates": ["x", "y"], "n_chosen": null}},
        "width": {"_type": "choice", "_value": [64, 128]},
        "rate": {"_type": "choice", "_value": [0.1, 0.5]},
        "mode": {"_type": "choice", "_value": ["same", "valid"]},
        "equal": {"_type": "choice", "_value": [8, 8]}})"));
}

TEST(SearchSpaceJson, IsAnsweredByParametersThatReadAsAnArchitecture) {
  Random random(2);
  const Json search_space = search_space_to_json(kExported);
  for (int i = 0; i < 100; ++i) {
    Json parameters = tuned(search_space, random);
    const Architecture architecture = choices_from_json(parameters, kExported);
    check_architecture(architecture, kExported, Purpose::Final);
    for (auto& [label, choice] : parameters.items()) {
      const Json indices = choice.at("_idx");
      EXPECT_EQ(Json(architecture.at(label).chosen),
                indices.is_array() ? indices : Json::array({indices}));
      // As a document about this form misspells it.
      choice["_idex"] = indices;
      choice.erase("_idx");
    }
    EXPECT_EQ(choices_from_json(parameters, kExported), architecture);
  }
}

TEST(SearchSpaceJson, IsAnsweredForTheChoicesOfGraphMutators) {
  Random random(4);
  const ir::Space space = operations_space();
  const Json parameters = tuned(search_space_to_json(space.mutables()), random);
  EXPECT_TRUE(ir::mutables(space.model(choices_from_json(parameters, space.mutables()))).empty());
}

}  // namespace
}  // namespace retia
