#include <gmock/gmock.h>

#include "retia/engine/experiment/trial_file.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/tiny.h"
#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

/// A trial of the parameters in `file`, in space `tiny`, scored by a command.
Ended run_trial(const std::filesystem::path& file, const std::string& command) {
  Words words =
      little("trial", {"--evaluator", "command", "--set", "evaluator.command=" + command});
  words.insert(words.begin() + 1, file);
  return run_program(words);
}

/// What a tuner makes of a search space: of everything the candidate `which`.
Json parameters(const Json& search_space, size_t which) {
  Json made = Json::object();
  for (const auto& [label, choice] : search_space.items()) {
    const Json& value = choice.at("_value");
    const Json& candidates = value.is_object() ? value.at("candidates") : value;
    const Json list = Json::array({candidates.at(which)}), index = Json::array({which});
    made[label] = value.is_object() ? Json{{"_value", list}, {"_idx", index}}
                                    : Json{{"_value", candidates.at(which)}, {"_idx", which}};
  }
  return made;
}

TEST(Trial, ServesATunerFromOutside) {
  const TemporaryFolder folder;
  const Ended shown =
      run_program(joined({"space", "tiny", "--format", "search-space"}, little_data()));
  for (const size_t which : {0, 1}) {
    write_plainly(folder / "parameters.json", parameters(Json::parse(shown.out), which).dump());
    const Ended ended =
        run_trial(folder / "parameters.json",
                  "python3 -c 'import json, sys; n = len(json.load(sys.stdin)[\"nodes\"]); "
                  "print(json.dumps({\"metric\": n, \"loss\": 0.5}))'");
    ASSERT_EQ(ended.code, kDone) << ended.err;
    const ir::Graph model = ir::freeze(tiny({}, {{1, 28, 28}, 10}),
                                       which == 0 ? Architecture{{"skip", {{0}}}}
                                                  : Architecture{{"skip", {{1}}}, {"body", {{1}}}});
    EXPECT_EQ(Json::parse(ended.out),
              Json({{"metric", static_cast<double>(model.nodes().size())}, {"loss", 0.5}}));
  }
}

TEST(Trial, RunsTheFileOfARunnerAndLeavesResultsBeside) {
  const TemporaryFolder folder;
  const ir::Graph space = tiny({}, {{1, 28, 28}, 10});
  const Architecture architecture = {{"skip", {{0}}}};
  const ir::Graph model = ir::freeze(space, architecture);
  const Job job{.trials = {{.proposal = {.id = 4, .architecture = architecture}, .model = model},
                           {.proposal = {.id = 5, .architecture = architecture}, .model = model}}};
  const auto write = [&](const Json& evaluator) {
    write_trial_file(folder / "trial.json",
                     {{.space = "tiny", .evaluator = evaluator}, ir::mutables(space), job});
  };
  write({{"name", "command"}, {"options", {{"command", "test $RETIA_TRIAL = 4 && echo 0.5"}}}});
  const Ended ended = run_program({"trial", folder / "trial.json"});
  EXPECT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("trial 4: succeeded, 0.5, "));
  EXPECT_THAT(ended.out, HasSubstr("trial 5: failed, the command ended with code 1, "));
  const std::vector<Trial> results = read_results(folder / "trial.json", job);
  EXPECT_EQ(results[0].evaluation.objectives, std::vector<double>{0.5});
  EXPECT_EQ(results[1].evaluation.status, TrialStatus::Failed);

  write({{"name", "nobody"}});
  EXPECT_EQ(run_program({"trial", folder / "trial.json"}).code, kDone);
  EXPECT_THAT(read_results(folder / "trial.json", job)[1].evaluation.error,
              HasSubstr("unknown evaluator 'nobody'"));
}

TEST(Trial, SaysInOneLineWhatIsWrong) {
  const TemporaryFolder folder;
  const Ended missing = run_program({"trial", folder / "missing.json"});
  EXPECT_EQ(missing.code, kFailed);
  EXPECT_EQ(missing.err, "retia: " + (folder / "missing.json").string() +
                             ": cannot be opened: No such file or directory\n");
  EXPECT_EQ(run_program({"trial", "--server"}).err,
            "retia: trial --server is what `explore --runner local` starts: give a file\n");
  EXPECT_THAT(run_program({"trial"}).err, HasSubstr("no space was given"));
  EXPECT_THAT(run_program({"trial", "--space", "tiny"}).err,
              EndsWith("trial needs a file: retia trial FILE\n"));
  write_plainly(folder / "p.json", R"({"skip": "stem"})");
  const Ended no_space = run_program({"trial", folder / "p.json"});
  EXPECT_EQ(no_space.code, kBadUsage);
  EXPECT_THAT(no_space.err, HasSubstr("no space was given"));
  const Ended failed = run_trial(folder / "p.json", "echo broken >&2; exit 1");
  EXPECT_EQ(failed.code, kFailed);
  EXPECT_EQ(failed.err, "retia: the command ended with code 1: broken\n");
  write_plainly(folder / "p.json", R"({"skip": "stam"})");
  EXPECT_THAT(run_trial(folder / "p.json", "echo 1").err, HasSubstr("did you mean 'stem'?"));
}

}  // namespace
}  // namespace retia
