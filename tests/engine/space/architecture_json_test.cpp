#include "retia/engine/space/architecture_json.h"

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

const std::vector<Mutable> kMutables = {
    {.label = "op", .names = {"conv3x3", "conv5x5", "skip"}},
    {.label = "unnamed", .names = {"0", "1", "2"}},
    {.label = "one", .kind = MutableKind::InputChoice, .names = {"stem", "body"}},
    {.label = "two", .kind = MutableKind::InputChoice, .names = {"a", "b", "c"}, .n_chosen = 2},
    {.label = "any",
     .kind = MutableKind::InputChoice,
     .names = {"x", "y"},
     .n_chosen = std::nullopt},
    {.label = "width", .kind = MutableKind::ValueChoice, .names = {"64", "128"}},
    {.label = "rate", .kind = MutableKind::ValueChoice, .names = {"0.1", "0.5"}},
    {.label = "mode", .kind = MutableKind::ValueChoice, .names = {"same", "valid"}},
    {.label = "bias", .kind = MutableKind::ValueChoice, .names = {"false", "true"}},
    {.label = "equal", .kind = MutableKind::ValueChoice, .names = {"8", "8"}},
};

const Architecture kArchitecture = {
    {"op", {{1}}},    {"unnamed", {{2}}}, {"one", {{0}}},  {"two", {{0, 2}}}, {"any", {{1}}},
    {"width", {{1}}}, {"rate", {{0}}},    {"mode", {{1}}}, {"bias", {{1}}},   {"equal", {{1}}},
};

const Json kChoices = {{"op", "conv5x5"},
                       {"unnamed", 2},
                       {"one", "stem"},
                       {"two", {"a", "c"}},
                       {"any", Json::array({"y"})},
                       {"width", 128},
                       {"rate", 0.1},
                       {"mode", "valid"},
                       {"bias", true},
                       {"equal", {{"_value", 8}, {"_idx", 1}}}};

/// What a plain object of one choice is read as.
std::vector<int64_t> chosen(const std::string& label, const Json& choice) {
  return choices_from_json({{label, choice}}, kMutables).at(label).chosen;
}

std::string refusal(const std::string& label, const Json& choice) {
  return error_of([&] { chosen(label, choice); });
}

using Indices = std::vector<int64_t>;

TEST(ArchitectureJson, WritesNamesWhereThereAreAnyAndValuesOfValueChoices) {
  EXPECT_EQ(to_json(kArchitecture, kMutables, "tiny"), (Json{{"format", "retia.architecture"},
                                                             {"version", 1},
                                                             {"space", "tiny"},
                                                             {"choices", kChoices}}));
}

TEST(ArchitectureJson, ReadsWhatItWrote) {
  const auto written = architecture_from_json(to_json(kArchitecture, kMutables, "tiny"), kMutables);
  EXPECT_EQ(written.space.name, "tiny");
  EXPECT_EQ(written.architecture, kArchitecture);
}

TEST(ArchitectureJson, WritesAndReadsArchitecturesWithoutLabelsThatNothingReaches) {
  const Architecture part = {{"op", {{2}}}};
  const Json document = to_json(part, kMutables, "tiny");
  EXPECT_EQ(document["choices"], (Json{{"op", "skip"}}));
  EXPECT_EQ(architecture_from_json(document, kMutables).architecture, part);
}

TEST(ArchitectureJson, RefusesToWriteWhatItWouldNotRead) {
  EXPECT_EQ(error_of([&] {
              to_json({{"opp", {{0}}}}, kMutables, "tiny");
            }),
            "the architecture decides 'opp', which this space does not have; did you mean 'op'?");
  EXPECT_EQ(error_of([&] {
              to_json({{"two", {{0}}}}, kMutables, "tiny");
            }),
            "input choice 'two': expected 2 of 3 candidates, got 1");
}

TEST(ArchitectureJson, ReadsAPlainObject) {
  const auto written = architecture_from_json(kChoices, kMutables);
  EXPECT_EQ(written.space.name, "");
  EXPECT_EQ(written.architecture, kArchitecture);
}

TEST(ArchitectureJson, ReadsNamesAndIndices) {
  EXPECT_EQ(chosen("op", "skip"), Indices{2});
  EXPECT_EQ(chosen("op", 2), Indices{2});
  EXPECT_EQ(chosen("op", Json::array({"skip"})), Indices{2});
  EXPECT_EQ(chosen("op", Json::array({2})), Indices{2});
  EXPECT_EQ(chosen("two", {"c", "a"}), (Indices{0, 2}));
  EXPECT_EQ(chosen("two", {1, 2}), (Indices{1, 2}));
  EXPECT_EQ(chosen("any", "y"), Indices{1});
  EXPECT_EQ(chosen("any", Json::array()), Indices{});
}

TEST(ArchitectureJson, ReadsMultiHotLists) {
  EXPECT_EQ(chosen("op", {false, true, false}), Indices{1});
  EXPECT_EQ(chosen("two", {true, false, true}), (Indices{0, 2}));
  EXPECT_EQ(chosen("two", {0.0, 1.0, 1.0}), (Indices{1, 2}));
  EXPECT_EQ(chosen("any", {false, false}), Indices{});
  EXPECT_EQ(chosen("bias", {false, true}), Indices{1});
}

TEST(ArchitectureJson, ReadsIntegersAsIndicesEvenWhereTheyCouldBeFlags) {
  EXPECT_EQ(chosen("any", {0, 1}), (Indices{0, 1}));
  EXPECT_EQ(refusal("two", {0, 1, 1}), "input choice 'two': [0,1,1] chooses candidate 1 twice");
}

TEST(ArchitectureJson, ReadsNumbersOfValueChoicesAsValues) {
  EXPECT_EQ(chosen("width", 64), Indices{0});
  EXPECT_EQ(chosen("width", "64"), Indices{0});
  EXPECT_EQ(chosen("width", 64.0), Indices{0});
  EXPECT_EQ(chosen("width", Json::array({128})), Indices{1});
  EXPECT_EQ(chosen("bias", false), Indices{0});
  EXPECT_EQ(refusal("width", 1), "value choice 'width': 1 is none of its values; known: 128, 64");
}

TEST(ArchitectureJson, ReadsAListOfOneAsAValueOfASingleValueChoice) {
  const std::vector<Mutable> single = {
      {.label = "rate", .kind = MutableKind::ValueChoice, .names = {"0.5"}}};
  EXPECT_EQ(choices_from_json({{"rate", Json::array({0.5})}}, single).at("rate").chosen,
            Indices{0});
}

TEST(ArchitectureJson, ReadsValueAndIndex) {
  EXPECT_EQ(chosen("op", {{"_value", "skip"}, {"_idx", 2}}), Indices{2});
  EXPECT_EQ(chosen("op", {{"_value", "skip"}, {"_idex", 2}}), Indices{2});
  EXPECT_EQ(chosen("two", {{"_value", {"b", "c"}}, {"_idx", {1, 2}}}), (Indices{1, 2}));
  EXPECT_EQ(chosen("width", {{"_idx", 1}}), Indices{1});
  EXPECT_EQ(chosen("width", {{"_value", 64}}), Indices{0});
  EXPECT_EQ(refusal("op", {{"_value", "skip"}, {"_idx", 1}}),
            "layer choice 'op': \"_value\" and \"_idx\" of {\"_idx\":1,\"_value\":\"skip\"} choose "
            "different candidates");
  EXPECT_EQ(refusal("op", {{"_type", "layer_choice"}}),
            "layer choice 'op': unknown key '_type'; known: _idx, _value");
}

TEST(ArchitectureJson, NamesTheNearestLabelAndCandidate) {
  EXPECT_EQ(error_of([] {
              choices_from_json({{"widht", 64}}, kMutables);
            }),
            "the architecture decides 'widht', which this space does not have; did you mean "
            "'width'?");
  EXPECT_EQ(refusal("op", "conv_5x5"),
            "layer choice 'op': unknown candidate 'conv_5x5'; did you mean 'conv5x5'?");
}

TEST(ArchitectureJson, RefusesMalformedChoices) {
  EXPECT_EQ(refusal("op", {0.2, 0.7, 0.1}),
            "layer choice 'op': expected 0.0 or 1.0 for each candidate, got the weights "
            "[0.2,0.7,0.1]: an architecture has decided, so name what is chosen");
  EXPECT_EQ(refusal("op", {true, false}),
            "layer choice 'op': expected a flag for each of 3 candidates, got 2");
  EXPECT_EQ(refusal("op", 3), "layer choice 'op': index 3 is outside its 3 candidates");
  EXPECT_EQ(refusal("op", -1), "layer choice 'op': index -1 is outside its 3 candidates");
  EXPECT_EQ(refusal("op", 18446744073709551615u),
            "layer choice 'op': index 18446744073709551615 is outside its 3 candidates");
  EXPECT_EQ(refusal("op", nullptr),
            "layer choice 'op': expected the name or the index of a candidate, got null");
  EXPECT_EQ(refusal("op", {"skip", "conv3x3"}),
            "layer choice 'op': expected 1 of 3 candidates, got 2");
  EXPECT_EQ(error_of([] { choices_from_json(3, kMutables); }),
            "expected an object label -> choice, got 3");
}

TEST(ArchitectureJson, RefusesOtherFormatsAndVersions) {
  Json document = to_json(kArchitecture, kMutables, "tiny");
  document["version"] = 2;
  EXPECT_EQ(error_of([&] { architecture_from_json(document, kMutables); }),
            "architecture: expected format retia.architecture version 1, found version 2: use a "
            "newer Retia");
  document["format"] = "retia.graph";
  EXPECT_EQ(error_of([&] { architecture_from_json(document, kMutables); }),
            "architecture: expected format retia.architecture version 1, found format "
            "retia.graph: give another file");
}

TEST(ArchitectureJson, RefusesUnknownAndMissingKeys) {
  Json document = to_json(kArchitecture, kMutables, "tiny");
  document["choces"] = 1;
  EXPECT_EQ(error_of([&] { architecture_from_json(document, kMutables); }),
            "architecture: unknown key 'choces'; did you mean 'choices'?");
  document.erase("choces");
  document.erase("choices");
  EXPECT_EQ(error_of([&] { architecture_from_json(document, kMutables); }),
            "architecture: expected an object \"choices\"");
}

TEST(ArchitectureJson, NamesTheFileAndItsSpace) {
  const TemporaryFolder folder;
  const auto path = folder / "architecture.json";
  write_json(path, to_json(kArchitecture, kMutables, "tiny"));
  EXPECT_EQ(read_architecture(path, kMutables, "tiny"), kArchitecture);
  EXPECT_EQ(error_of([&] { read_architecture(path, {}, "darts_cnn"); }),
            path.string() + ": is of space 'tiny', expected 'darts_cnn'");
  write_json(path, {{"op", "skipp"}});
  EXPECT_EQ(error_of([&] { read_architecture(path, kMutables, "tiny"); }),
            path.string() + ": layer choice 'op': unknown candidate 'skipp'; did you mean 'skip'?");
}

}  // namespace
}  // namespace retia
