#include "retia/apps/program.h"

#include <gmock/gmock.h>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"
#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* kTestAccuracy = "test accuracy [0-9]+\\.[0-9][0-9] %\n";

void expect_header(const std::filesystem::path& file, const std::string& format) {
  const Json json = read_json(file);
  EXPECT_EQ(json.value("format", ""), format) << file;
  EXPECT_EQ(json.value("version", 0), 1) << file;
}

TEST(Program, SearchesRetrainsAndEvaluates) {
  const TemporaryFolder folder;
  const std::string search = folder / "search", retrain = folder / "retrain";
  const std::string found = folder / "search/architecture.json";

  Ended ended = run_program(little("search", {"--epochs", "2", "--out", search}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("architecture " + found + "\n"));
  EXPECT_THAT(ended.out, MatchesRegex(".*\ninherited weights: validation accuracy [0-9.]+ %, "
                                      "test accuracy [0-9.]+ %\n"));
  EXPECT_THAT(ended.err, HasSubstr("epoch 2/2 4/4"));
  expect_header(found, "retia.architecture");
  EXPECT_EQ(read_json(found)["space"], "tiny");
  EXPECT_EQ(metrics_of(search).size(), 2u);

  ended =
      run_program(little("retrain", {"--epochs", "1", "--out", retrain, "--architecture", found}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, MatchesRegex("parameters [0-9]+, multiply-adds [0-9]+\n" +
                                      std::string(kTestAccuracy)));
  EXPECT_EQ(read_json(folder / "retrain/architecture.json"), read_json(found));

  for (const std::string& run : {search, retrain}) {
    const std::filesystem::path path = run;
    expect_header(path / "config.json", "retia.config");
    expect_header(path / "space.json", "retia.graph");
    expect_header(path / "finished.json", "retia.finished");
    const Ended scored =
        run_program(little("evaluate", {"--architecture", found, "--checkpoint", run}));
    ASSERT_EQ(scored.code, kDone) << scored.err;
    EXPECT_THAT(scored.out, MatchesRegex("test loss [0-9.]+\n" + std::string(kTestAccuracy)));
    EXPECT_EQ(scored.err, "");
    if (run == retrain) {
      EXPECT_THAT(ended.out, EndsWith(scored.out.substr(scored.out.find('\n') + 1)));
    }
  }
}

TEST(Program, RetrainsInTheEvaluationNetworkOfTheSpace) {
  const TemporaryFolder folder;
  const Words space = {"--space", "darts_cnn",      "--set", "space.channels=2",
                       "--set",   "space.layers=3", "--set", "space.nodes=2"};
  const Words settings = joined(joined(little_data(), space),
                                {"--threads", "1", "--epochs", "1", "--batch-size", "32"});
  const std::string found = folder / "search/architecture.json";
  Ended ended = run_program(joined({"search", "--out", folder / "search"}, settings));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  ended = run_program(
      joined({"retrain", "--out", folder / "retrain", "--architecture", found}, settings));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_EQ(read_json(folder / "retrain/space.json")["outputs"].size(), 2u);
  for (const char* run : {"search", "retrain"}) {
    const Ended scored = run_program(joined({"evaluate", "--space", "darts_cnn", "--architecture",
                                             found, "--checkpoint", folder / run, "--threads", "1"},
                                            little_data()));
    EXPECT_EQ(scored.code, kDone) << scored.err;
  }
}

TEST(Program, GivesTheSameRunFromItsResolvedConfiguration) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(little("search", {"--algorithm", "spos", "--epochs", "2", "--seed", "3",
                                          "--out", folder / "a"}))
                .code,
            kDone);
  const Ended again =
      run_program({"search", "--config", folder / "a/config.json", "--out", folder / "b"});
  ASSERT_EQ(again.code, kDone) << again.err;
  expect_equal_runs(folder / "a", folder / "b");
  Json a = read_json(folder / "a/config.json"), b = read_json(folder / "b/config.json");
  a["run"].erase("out");
  b["run"].erase("out");
  EXPECT_EQ(a, b);
}

TEST(Program, PutsOptionsAboveTheConfigurationAndSetAboveOptions) {
  const TemporaryFolder folder;
  write_json(folder / "given.json",
             {{"trainer", {{"epochs", 3}, {"batch_size", 4}}}, {"run", {{"seed", 5}}}});
  ASSERT_EQ(run_program(little("search", {"--config", folder / "given.json", "--epochs", "2",
                                          "--set", "trainer.epochs=1", "--out", folder / "run"}))
                .code,
            kDone);
  const Json config = read_json(folder / "run/config.json");
  EXPECT_EQ(config["trainer"]["epochs"], 1);
  EXPECT_EQ(config["trainer"]["batch_size"], 8);
  EXPECT_EQ(config["run"]["seed"], 5);
}

TEST(Program, HasNothingToDoInAFinishedRun) {
  const TemporaryFolder folder;
  const Words words = little("search", {"--epochs", "1", "--out", folder / "run", "--resume"});
  ASSERT_EQ(run_program(words).code, kDone);
  const Ended again = run_program(words);
  EXPECT_EQ(again.code, kDone);
  EXPECT_THAT(again.out, StartsWith("nothing to do: "));
}

TEST(Program, ShowsASpace) {
  const Words words = joined({"space", "tiny"}, little_data());
  Ended ended = run_program(words);
  EXPECT_EQ(ended.code, kDone) << ended.err;
  EXPECT_EQ(ended.out,
            "space tiny: 2 decisions\n"
            "  body: layer choice, 1 of conv3x3 conv5x5 skip\n"
            "  skip: input choice, 1 of stem body\n");

  ended = run_program(joined(words, {"--format", "search-space"}));
  const Json choices = Json::parse(ended.out);
  EXPECT_EQ(choices["body"]["_value"], (Words{"conv3x3", "conv5x5", "skip"}));
  EXPECT_EQ(choices["skip"]["_type"], "input_choice");

  ended = run_program(joined(words, {"--format", "dot"}));
  EXPECT_THAT(ended.out, StartsWith("digraph \"tiny\" {\n"));
  EXPECT_THAT(ended.out, HasSubstr("shape=box"));
  EXPECT_THAT(ended.out, EndsWith("}\n"));
}

TEST(Program, PrintsAGraphThatItReadsAsASpace) {
  const TemporaryFolder folder;
  const Ended ended = run_program(joined({"space", "tiny", "--format", "ir"}, little_data()));
  write_atomically(folder / "space.json", ended.out);
  expect_header(folder / "space.json", "retia.graph");
  const Ended named = run_program(little("search", {"--epochs", "1", "--out", folder / "a"}));
  Words from_file = little("search", {"--epochs", "1", "--out", folder / "b"});
  from_file[2] = folder / "space.json";
  const Ended read = run_program(from_file);
  ASSERT_EQ(read.code, kDone) << read.err;
  EXPECT_EQ(metrics_of(folder / "a"), metrics_of(folder / "b"));
}

TEST(Program, ProfilesAnArchitecture) {
  const TemporaryFolder folder;
  const auto profile = [&](const Json& choices) {
    write_json(folder / "a.json", choices);
    return run_program(joined({"space", "tiny", "--profile", "--architecture", folder / "a.json"},
                              little_data()))
        .out;
  };
  // stem: a 3 x 3 convolution of 1 to 8 channels, normalised; head: 8 x 10 weights and a bias each.
  EXPECT_THAT(profile({{"body", "skip"}, {"skip", "stem"}}),
              EndsWith("total: 4688 multiply-adds, 178 parameters\n"));
  EXPECT_THAT(profile({{"body", "conv3x3"}, {"skip", "body"}}), HasSubstr("body/conv3x3"));
}

TEST(Program, ExploresEveryModelByGrid) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Ended ended =
      run_program(little("explore", {"--strategy", "grid", "--epochs", "1", "--out", out}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  // body matters only where skip takes it: three models, and that of the stem.
  EXPECT_THAT(ended.out, StartsWith("4 trials; the space is exhausted\narchitecture " + out +
                                    "/architecture.json\nbest trial "));
  EXPECT_THAT(ended.out, MatchesRegex(".*: validation accuracy [0-9.]+ %\n"));
  expect_header(folder / "run/architecture.json", "retia.architecture");
  expect_header(folder / "run/space.json", "retia.graph");
  const Ended retrained =
      run_program(little("retrain", {"--epochs", "1", "--out", folder / "retrain", "--architecture",
                                     folder / "run/architecture.json"}));
  EXPECT_EQ(retrained.code, kDone) << retrained.err;
}

TEST(Program, ResumesAnExplorationWithALargerLimit) {
  const TemporaryFolder folder;
  const auto explore = [&](const std::string& name, const std::string& limit) {
    return run_program(little("explore", {"--strategy", "random", "--epochs", "1", "--max-trials",
                                          limit, "--resume", "--out", folder / name}));
  };
  EXPECT_THAT(explore("a", "1").out, StartsWith("1 trials; --max-trials was reached\n"));
  const Ended continued = explore("a", "3");
  EXPECT_THAT(continued.out, StartsWith("3 trials; --max-trials was reached\n")) << continued.err;
  explore("b", "3");
  EXPECT_EQ(read_json(folder / "a/architecture.json"), read_json(folder / "b/architecture.json"));
}

TEST(Program, HelpsWithEachCommand) {
  Ended ended = run_program({"--help"});
  EXPECT_EQ(ended.code, kDone);
  for (const char* command : {"search", "retrain", "evaluate", "explore", "space"}) {
    EXPECT_THAT(ended.out, HasSubstr(std::string("\n  ") + command));
    const Ended help = run_program({command, "--help"});
    EXPECT_EQ(help.code, kDone);
    EXPECT_THAT(help.out, HasSubstr("--space VALUE"));
  }
  EXPECT_EQ(run_program({}).code, kBadUsage);
}

struct LineOptions {
  int64_t width = 4;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LineOptions, width)

ir::Graph line(const LineOptions& options, const Task& task) {
  Builder b("line");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  const Wire flat = b.add("flat", ops::flatten(), {image});
  const Wire hidden =
      b.layer_choice("hidden",
                     {{"wide", ops::linear({.out = options.width})},
                      {"plain", ops::linear({.out = options.width, .bias = false})}},
                     {flat});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {hidden}));
  return b.finish();
}

TEST(Program, RunsASpaceThatAUserAdded) {
  const TemporaryFolder folder;
  Program program;
  program.spaces.add("line", &line);
  Words words = little("search", {"--epochs", "1", "--out", folder / "run"});
  words[2] = "line";
  const Ended ended = run_program(words, program);
  EXPECT_EQ(ended.code, kDone) << ended.err;
  EXPECT_EQ(read_json(folder / "run/architecture.json")["space"], "line");
}

}  // namespace
}  // namespace retia
