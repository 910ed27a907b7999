#include "retia/apps/program.h"

#include <gmock/gmock.h>

#include <csignal>
#include <iostream>
#include <iterator>
#include <set>

#include "retia/engine/io/process.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"
#include "retia/tests/apps/program_runs.h"
#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::MatchesRegex;
using testing::Not;
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
  EXPECT_THAT(ended.out, MatchesRegex("parameters [0-9]+, multiply-adds [0-9]+\n"
                                      "valid accuracy [0-9.]+ %, the best, after epoch 1\n" +
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
    EXPECT_THAT(scored.out, MatchesRegex("scored on the test split of the run, 32 samples of "
                                         "synthetic\ntest loss [0-9.]+\n" +
                                         std::string(kTestAccuracy)));
    EXPECT_EQ(scored.err, "");
    if (run == retrain) {
      EXPECT_THAT(ended.out, EndsWith(scored.out.substr(scored.out.find("test accuracy"))));
    }
  }
}

TEST(Program, SaysWhichDataItTakesWhereNoneWereGiven) {
  const Ended ended =
      run_program({"explore", "--space", "tiny", "--strategy", "grid", "--evaluator", "command",
                   "--set", "evaluator.command=echo 1", "--debug"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("no --data was given: the data are 'digits'\n"));
  const Ended given =
      run_program(joined({"explore", "--space", "tiny", "--strategy", "grid", "--evaluator",
                          "command", "--set", "evaluator.command=echo 1", "--debug"},
                         little_data()));
  EXPECT_THAT(given.err, testing::Not(HasSubstr("no --data")));
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

/// Words apart from each other, as help breaks lines anywhere between them.
std::set<std::string> words_in(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char letter : text + ' ') {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-') {
      word += letter;
    } else {
      words.insert(std::exchange(word, ""));
    }
  }
  return words;
}

TEST(Program, HelpsWithEachCommand) {
  const Program program;
  for (const Words& words : {Words{"--help"}, Words{"-h"}, Words{"help"}}) {
    const Ended ended = run_program(words);
    EXPECT_EQ(ended.code, kDone);
    for (const Command& command : program.commands.all()) {
      EXPECT_THAT(ended.out, HasSubstr("\n  " + command.name + "  "));
    }
  }
  EXPECT_EQ(run_program({}).code, kBadUsage);
  EXPECT_EQ(run_program({"search", "-h"}).out, run_program({"help", "search"}).out);
  EXPECT_THAT(run_program({"help", "serach"}).err, HasSubstr("did you mean 'search'?"));
}

TEST(Program, NamesTheEntriesOfTablesInHelp) {
  Program program;
  program.data_sets.add("mine", [](const DataOptions&) { return make_synthetic({}); });
  for (const Command& command : program.commands.all()) {
    std::istringstream name(command.name);
    const Words words{std::istream_iterator<std::string>(name), {}};
    const Ended help = run_program(joined(words, {"--help"}), program);
    SCOPED_TRACE(help.out);
    EXPECT_EQ(help.code, kDone);
    const std::set<std::string> named = words_in(help.out);
    for (const Flag& flag : command.flags) {
      EXPECT_THAT(named, Contains((flag.name.size() == 1 ? "-" : "--") + flag.name));
      EXPECT_NE(flag.option.meaning, "");
      if (flag.option.names && !flag.option.names->table.empty()) {
        EXPECT_THAT(named, IsSupersetOf(program.names(flag.option.names->table)));
      }
    }
  }
}

TEST(Program, GivesEachNumberARange) {
  const Program program;
  for (const Command& command : program.commands.all()) {
    for (const Flag& flag : command.flags) {
      EXPECT_TRUE(!flag.option.value.is_number() || flag.option.range)
          << command.name << " --" << flag.name;
    }
  }
}

/// Expects that each option says what it means, and each number its range, also within options.
void expect_described(const std::vector<Option>& options, const std::string& where) {
  for (const Option& option : flattened(options, where)) {
    EXPECT_NE(option.meaning, "") << option.key;
    EXPECT_TRUE(!option.value.is_number() || option.range) << option.key;
  }
}

TEST(Program, SaysOfEachOptionWhatItMeans) {
  const Program program;
  for (const std::string& name : program.spaces.names()) {
    expect_described(program.spaces.described(name), name);
    expect_described(program.spaces.evaluation_described(name), name);
  }
  for (const std::string& name : program.algorithms.names()) {
    expect_described(program.algorithms.options(name), name);
  }
  for (const std::string& name : program.strategies.names()) {
    expect_described(program.strategies.options(name), name);
  }
  for (const std::string& name : program.evaluators.names()) {
    expect_described(program.evaluators.options(name), name);
  }
  for (const std::string& name : program.runners.names()) {
    expect_described(program.runners.options(name), name);
  }
  for (const Command& command : program.commands.all()) {
    for (const Section& section : command.sections(program, {})) {
      expect_described(section.options, command.name + " " + section.name);
    }
  }
}

TEST(Program, ShowsMeaningDefaultAndRangeOfTheOptionsOfAnEntry) {
  const std::string help =
      run_program({"search", "--space", "darts_cnn", "--algorithm", "gdas", "--help"}).out;
  for (const char* line :
       {"space.channels=16", "channels of the first cell; each reduction cell doubles them",
        "algorithm.last_temperature=0.1", "temperature at the end (above 0)",
        "algorithm.penalty.form=add", "(add, mul)", "algorithm.alpha_optimizer.beta1=0.5",
        "(0 to 1)", "trainer.label_smoothing=0.0", "(0 to below 1)"}) {
    EXPECT_THAT(help, HasSubstr(line));
  }
}

TEST(Program, LeavesTheSignalsOfAHostProgramAlone) {
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(run_program({"--version"}).code, kDone);
  EXPECT_EQ(std::signal(SIGXFSZ, SIG_DFL), SIG_DFL);
}

TEST(Program, ListsTheOptionsOfTheEntriesThatHelpIsAskedFor) {
  const std::string plain = run_program({"search", "--help"}).out;
  EXPECT_THAT(plain, HasSubstr("space.KEY: add --space NAME to --help"));
  EXPECT_THAT(plain, HasSubstr("trainer.label_smoothing=0.0"));
  EXPECT_THAT(plain, Not(HasSubstr("data.csv.target")));
  const std::string named = run_program({"search", "--space", "darts_cnn", "--algorithm=darts",
                                         "--data", "csv", "--help"})
                                .out;
  EXPECT_THAT(named, HasSubstr("\n  space.channels=16"));
  EXPECT_THAT(named, HasSubstr("\n  algorithm.order=1"));
  EXPECT_THAT(named, HasSubstr("\n  data.csv.target="));
  EXPECT_THAT(named, Not(HasSubstr("data.synthetic")));
  const std::string explore = run_program({"explore", "--strategy", "evolution", "--evaluator",
                                           "command", "--runner", "slurm", "--help"})
                                  .out;
  for (const char* key : {"strategy.population=", "evaluator.command=", "runner.partition="}) {
    EXPECT_THAT(explore, HasSubstr(std::string("\n  ") + key));
  }
  const Ended unknown = run_program({"search", "--space", "tinny", "--help"});
  EXPECT_EQ(unknown.code, kBadUsage);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'tiny'?"));
}

TEST(Program, TellsItsVersion) {
  const Ended ended = run_program({"--version"});
  EXPECT_EQ(ended.code, kDone);
  EXPECT_THAT(ended.out, MatchesRegex("retia [0-9.]+\ncommit ([0-9a-f]+|unknown)\n"
                                      "LibTorch [0-9.]+\nCUDA ([0-9.]+|none)\n"
                                      "instruction set .+\n"));
}

struct CountOptions {
  int64_t depth = 3;
  std::string in_space = "tiny";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CountOptions, depth, in_space)

int count(const Program& program, const CountOptions& options) {
  program.spaces.search_options(options.in_space);
  std::cout << options.in_space << ' ' << options.depth << '\n';
  return kDone;
}

TEST(Program, RunsACommandThatAUserAdded) {
  Program program;
  program.commands.add("count", "counts", count);
  EXPECT_EQ(run_program({"count"}, program).out, "tiny 3\n");
  EXPECT_EQ(run_program({"count", "--in-space", "mlp", "--set", "depth=4"}, program).out,
            "mlp 4\n");
  const Ended help = run_program({"help", "count"}, program);
  EXPECT_THAT(help.out, HasSubstr("--depth N"));
  EXPECT_THAT(help.out, HasSubstr("(default tiny)"));
  EXPECT_THAT(run_program({"--help"}, program).out, HasSubstr("\n  count  "));
  const Ended failed = run_program({"count", "--in-space", "minny"}, program);
  EXPECT_EQ(failed.code, kFailed);
  EXPECT_EQ(std::count(failed.err.begin(), failed.err.end(), '\n'), 1) << failed.err;
  EXPECT_EQ(run_program({"count", "--dept", "4"}, program).code, kBadUsage);
  EXPECT_EQ(run_program({"count", "--depth", "many"}, program).code, kBadUsage);
  EXPECT_THROW(program.commands.add("search", "again", count), c10::Error);
}

/// Returns what bash offers for the last of `words`, by the script of `program`.
std::set<std::string> completed(const Words& words, const Program& program = Program()) {
  const TemporaryFolder folder;
  std::string script = run_program({"completion"}, program).out + "COMP_WORDS=(retia";
  for (const std::string& word : words) {
    script += " '" + word + "'";
  }
  script += ")\nCOMP_CWORD=" + std::to_string(words.size()) +
            "\nset -u\n$(complete -p | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n" +
            "printf '%s\\n' ${COMPREPLY[@]+\"${COMPREPLY[@]}\"}\n";
  write_plainly(folder / "script", script);
  const ProcessResult ended = run_process("bash --norc " + (folder / "script").string());
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  return words_in(ended.out);
}

TEST(Completion, OffersCommandsOptionsAndNames) {
  const Program program;
  EXPECT_THAT(completed({""}), IsSupersetOf({"search", "bench", "completion", "help"}));
  EXPECT_THAT(completed({"se"}), Contains("search"));
  EXPECT_THAT(completed({"se"}), Not(Contains("show")));
  EXPECT_THAT(completed({"bench", ""}), IsSupersetOf({"kernels", "search-step"}));
  EXPECT_THAT(completed({"bench", "kernels", "--f"}), Contains("--filter"));
  EXPECT_THAT(completed({"search", "--s"}), IsSupersetOf({"--space", "--seed", "--set"}));
  EXPECT_THAT(completed({"search", "--s"}), Not(Contains("--strategy")));
  EXPECT_THAT(completed({"search", "--space", ""}), IsSupersetOf(program.spaces.names()));
  EXPECT_THAT(completed({"search", "--algorithm", "d"}), Contains("darts"));
  EXPECT_THAT(completed({"search", "--algorithm", "d"}), Not(Contains("gdas")));
  EXPECT_THAT(completed({"explore", "--runner", ""}), IsSupersetOf({"inline", "local", "slurm"}));
  EXPECT_THAT(completed({"explore", "--strategy", "t"}), Contains("tpe"));
  EXPECT_THAT(completed({"retrain", "--data", "fash"}), Contains("fashion-mnist"));
  EXPECT_THAT(completed({"search", "--set", "algorithm.or"}), Contains("order"));
  EXPECT_THAT(completed({"space", "darts_"}), Contains("darts_cnn"));
  EXPECT_THAT(completed({"help", "ex"}), Contains("explore"));
  EXPECT_THAT(completed({"completion", "z"}), Contains("zsh"));
}

TEST(Completion, KnowsWhatAUserAdded) {
  Program program;
  program.commands.add("count", "counts", count);
  program.algorithms.add<CountOptions>(
      "mine", +[](const CountOptions&, const SearchSetup&, uint64_t) { return Search{}; });
  EXPECT_THAT(completed({"co"}, program), Contains("count"));
  EXPECT_THAT(completed({"count", "--"}, program), IsSupersetOf({"--depth", "--in-space"}));
  EXPECT_THAT(completed({"search", "--algorithm", "mi"}, program), Contains("mine"));
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
