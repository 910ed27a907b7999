#include <gmock/gmock.h>

#include <set>

#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/models/nasbench201.h"
#include "retia/tests/apps/program_runs.h"
#include "retia/trainers/data/split.h"
#include "retia/trainers/score.h"
#include "retia/trainers/trainer.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A table of the scores of all architectures of NAS-Bench-201's space: one for each 3 x 3
/// convolution, and a little for each skip connection.
std::string write_table(const TemporaryFolder& folder) {
  const std::vector<std::string> ops = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3",
                                        "avg_pool_3x3"};
  std::string text = "arch,valid,test,cost\n";
  for (int index = 0; index < 15625; ++index) {
    int rest = index, score = 0, cost = 0;
    Architecture architecture;
    for (const char* edge : {"0-1", "0-2", "1-2", "0-3", "1-3", "2-3"}) {
      architecture[std::string("cell/") + edge].chosen = {rest % 5};
      score += rest % 5 == 3 ? 10 : rest % 5 == 1 ? 1 : 0;
      cost += rest % 5 == 3 ? 9 : rest % 5 == 2 ? 1 : 0;
      rest /= 5;
    }
    text += nasbench201_key(architecture) + "," + std::to_string(score) + "," +
            std::to_string(score + 30) + "," + std::to_string(cost) + "\n";
  }
  write_plainly(folder / "table.csv", text);
  return folder / "table.csv";
}

Words explore(const std::string& table, const std::string& strategy, const Words& more) {
  return joined(
      {"explore", "--space", "nasbench201", "--strategy", strategy, "--evaluator", "table", "--set",
       "evaluator.file=" + table, "--set", "evaluator.metric=valid", "--set",
       "evaluator.report=test", "--runner", "inline", "--seed", "1", "--threads", "1"},
      joined(little_data(), more));
}

TEST(Exploration, LooksScoresUpAndShowsTheBest) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Ended ended = run_program(
      explore(write_table(folder), "evolution", {"--max-trials", "300", "--out", out, "--quiet"}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("300 trials; --max-trials was reached\narchitecture " + out));
  EXPECT_THAT(ended.out, HasSubstr(": valid "));

  const Json best = Json::parse(run_program({"top", out, "-k", "1", "--format", "json"}).out);
  ASSERT_EQ(best.size(), 1u);
  EXPECT_GE(best[0].at("metric"), 41);  // of 60
  EXPECT_EQ(best[0].at("report").get<double>(), best[0].at("metric").get<double>() + 30);
  EXPECT_EQ(best[0].at("choices").size(), 6u);
  EXPECT_EQ(read_json(folder / "run/architecture.json").at("choices"), best[0].at("choices"));

  const Json all = Json::parse(run_program({"show", out, "--format", "json"}).out);
  ASSERT_EQ(all.size(), 300u);
  EXPECT_EQ(all[7].at("trial"), 7);
  EXPECT_EQ(all[7].at("status"), "succeeded");
  EXPECT_EQ(all[7].at("attempts"), 1);
  EXPECT_GE(all[7].at("ended"), all[7].at("started"));
  EXPECT_EQ(all[best[0].at("trial").get<size_t>()].at("metric"), best[0].at("metric"));

  const std::string csv = run_program({"show", out, "--format", "csv"}).out;
  EXPECT_THAT(csv, StartsWith("trial,status,metric,direction,report,seconds,error,cell/0-1,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 301);
  const std::string text = run_program({"top", out, "-k", "3"}).out;
  EXPECT_THAT(text, StartsWith("trial  status"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(Exploration, ContinuesWhereItStopped) {
  const TemporaryFolder folder;
  const std::string table = write_table(folder);
  const Words several = {"--concurrency", "2", "--merge", "2"};
  for (const char* strategy : {"evolution", "tpe", "nsga2"}) {
    const std::string halves = folder / (std::string(strategy) + "2");
    const std::string whole = folder / (std::string(strategy) + "1");
    for (const char* most : {"120", "250"}) {
      const Ended ended = run_program(explore(
          table, strategy, joined(several, {"--max-trials", most, "--resume", "--out", halves})));
      ASSERT_EQ(ended.code, kDone) << ended.err;
      EXPECT_EQ(ended.err.find("resumed: 120 trials ended, 0 run again\n") == 0,
                std::string(most) == "250");
    }
    run_program(explore(table, strategy, joined(several, {"--max-trials", "250", "--out", whole})));
    const auto trials = [](const std::string& run) {
      Json all = Json::parse(run_program({"show", run, "--format", "json"}).out);
      for (Json& trial : all) {
        for (const char* fleeting : {"seconds", "started", "ended"}) {
          trial.erase(fleeting);
        }
      }
      return all;
    };
    EXPECT_EQ(trials(halves), trials(whole));
  }
}

TEST(Exploration, DecidesOptionsOfTheEvaluatorWithTheArchitecture) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Words choice = {
      "--set", R"(evaluator.weight_optimizer.lr={"choice": "lr", "options": [0.1, 0.0001]})"};
  const Ended ended = run_program(
      joined(little("explore", {"--strategy", "grid", "--out", out, "--epochs", "2"}), choice));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Json all = Json::parse(run_program({"show", out, "--format", "json"}).out);
  std::map<Json, std::set<double>> scores;  // of a model by learning rate
  for (const Json& trial : all) {
    EXPECT_EQ(trial.at("status"), "succeeded");
    Json model = trial.at("choices");
    EXPECT_EQ(model.erase("lr"), 1u);
    scores[model].insert(trial.at("metrics").at("train_loss").get<double>());
  }
  EXPECT_EQ(all.size(), 2 * scores.size());
  for (const auto& [model, losses] : scores) {
    EXPECT_EQ(losses.size(), 2u) << model;
  }
  const Json found = read_json(folder / "run/architecture.json");
  EXPECT_EQ(found.at("settings"), (Json{{"lr", "evaluator.weight_optimizer.lr"}}));

  const Ended again =
      run_program(little("retrain", {"--architecture", out + "/architecture.json", "--epochs", "1",
                                     "--out", folder / "retrained"}));
  ASSERT_EQ(again.code, kDone) << again.err;
  EXPECT_THAT(again.out,
              HasSubstr("to be given by --set where it is to count: lr " +
                        found.at("choices").at("lr").dump() + " (evaluator.weight_optimizer.lr)"));
  const Ended told = run_program(
      joined({"space", "tiny", "--format", "search-space", "--data", "synthetic"}, choice));
  ASSERT_EQ(told.code, kDone) << told.err;
  EXPECT_EQ(Json::parse(told.out).at("lr"), (Json{{"_type", "choice"}, {"_value", {0.1, 0.0001}}}));
  const Ended wrong =
      run_program(little("explore", {"--out", folder / "wrong", "--set",
                                     R"(evaluator.epochs={"choice": "e", "options": [1, 1.5]})"}));
  EXPECT_EQ(wrong.code, kFailed);
  EXPECT_THAT(wrong.err, HasSubstr("evaluator.epochs: expected an integer"));
}

TEST(Exploration, KeepsTheWeightsOfTheBestAndExportsThem) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", best = folder / "best";
  const Ended ended =
      run_program(little("explore", {"--strategy", "grid", "--out", run, "--epochs", "2",
                                     "--max-trials", "5", "--keep-weights", "2"}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Ended top = run_program({"top", run, "-k", "2", "--format", "json", "--export", best});
  ASSERT_EQ(top.code, kDone) << top.err;
  const auto folders = [](const std::filesystem::path& path) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      names.insert(entry.path().filename());
    }
    return names;
  };
  EXPECT_EQ(folders(run + "/weights").size(), 2u);
  EXPECT_EQ(folders(best), folders(run + "/weights"));
  const Json options = read_json(folder / "run/config.json").at("evaluator");
  for (const Json& trial : Json::parse(top.out)) {
    const std::filesystem::path exported = best + "/" + trial.at("trial").dump();
    EXPECT_EQ(read_json(exported / "architecture.json").at("choices"), trial.at("choices"));
    // The network of the exported graph has the trial's score with the exported weights.
    Network network(ir::graph_from_json(read_json(exported / "model.json"), Program().operations),
                    0);
    copy_weights(with_prefix(newest_checkpoint(exported).tensors, "network/"), *network);
    const Dataset set = standard_data_sets().load(options.at("data").get<DataOptions>()).train;
    const auto held_out = split_of(set, options.at("data").at("valid_fraction"), 0);
    const Score score = score_of(
        network, Batches(set, held_out.valid, {.batch_size = 8, .order = SampleOrder::Given}));
    EXPECT_EQ(score.accuracy, trial.at("metric").get<double>());
    const Ended scored = run_program(little(
        "evaluate", {"--architecture", exported / "architecture.json", "--checkpoint", exported}));
    EXPECT_EQ(scored.code, kDone) << scored.err;
    EXPECT_THAT(scored.out, HasSubstr("test accuracy"));
  }
  EXPECT_THAT(run_program({"top", run, "--export", best}).err, HasSubstr("is there already"));
}

TEST(Exploration, FindsAFrontOfSeveralObjectivesAndDrawsIt) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Ended ended = run_program(
      explore(write_table(folder), "nsga2",
              {"--max-trials", "400", "--set", "evaluator.minimised=[\"cost\"]", "--out", out}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("/front.svg"));
  const Json front = read_json(folder / "run/front.json").at("trials");
  EXPECT_GE(front.size(), 4u);
  for (const Json& a : front) {
    for (const Json& b : front) {
      const Json &x = a.at("objectives"), &y = b.at("objectives");
      EXPECT_FALSE(x.at("valid") > y.at("valid") && x.at("cost") < y.at("cost"));
    }
  }
  EXPECT_THAT(read_file(folder / "run/front.svg"), StartsWith("<svg"));
}

TEST(Exploration, KeepsToAWindowOfCostsAndToTheUsersFilter) {
  const TemporaryFolder folder;
  Program program;
  program.admits = [](const Architecture& a) { return a.at("skip").chosen.front() == 1; };
  const std::string out = folder / "run";
  const Ended ended = run_program(
      little("explore", {"--strategy", "random", "--evaluator", "command", "--set",
                         "evaluator.command=echo 1", "--set", "experiment.costs=[\"parameters\"]",
                         "--set", "experiment.window.max_parameters=260", "--out", out}),
      program);
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Json all = Json::parse(run_program({"show", out, "--format", "json"}).out);
  ASSERT_GE(all.size(), 1u);
  for (const Json& trial : all) {
    EXPECT_EQ(trial.at("choices").at("skip"), "body");
    EXPECT_LE(trial.at("objectives").at("parameters"), 260);
  }
}

TEST(Exploration, SaysHowFarAWindowIsFromAnyModel) {
  const TemporaryFolder folder;
  for (const char* strategy : {"random", "grid", "evolution"}) {
    const Ended ended = run_program(little(
        "explore", {"--strategy", strategy, "--evaluator", "command", "--set",
                    "evaluator.command=echo 1", "--set", "experiment.window.max_parameters=1",
                    "--max-trials", "2", "--out", folder / strategy}));
    EXPECT_EQ(ended.code, kFailed);
    EXPECT_THAT(ended.err, HasSubstr("experiment.window admits no model that was found"));
    EXPECT_THAT(ended.err, HasSubstr(" (at most 1): widen the window\n"));
  }
}

TEST(Exploration, RecordsWhatACommandSaysWhereItFails) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Ended ended = run_program(little(
      "explore", {"--strategy", "grid", "--evaluator", "command", "--set",
                  "evaluator.command=test $RETIA_TRIAL -ne 2 || { echo no luck >&2; exit 1; }; "
                  "echo $RETIA_TRIAL",
                  "--out", out}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("4 trials, 1 failed; the space is exhausted\n"));
  const Json all = Json::parse(run_program({"show", out, "--format", "json"}).out);
  EXPECT_EQ(all[2].at("error"), "the command ended with code 1: no luck");
  EXPECT_EQ(all[2].at("metric"), Json());
  EXPECT_THAT(run_program({"show", out}).out, HasSubstr("no luck"));
  EXPECT_THAT(run_program({"top", out, "-k", "9", "--format", "csv"}).out,
              StartsWith("trial,status,metric,direction,report,seconds,error,body,skip\n"
                         "3,succeeded,3"));
}

TEST(Exploration, MinimisesALossEverywhere) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  Words loss = {"--strategy",  "grid",
                "--evaluator", "command",
                "--out",       out,
                "--set",       "evaluator.command=echo $((RETIA_TRIAL * 5 % 4))",
                "--set",       "evaluator.metric=loss"};
  Ended ended = run_program(little("explore", loss));
  EXPECT_EQ(ended.code, kBadUsage);
  EXPECT_THAT(ended.err, HasSubstr("--set evaluator.direction=minimise"));
  EXPECT_THAT(ended.err, HasSubstr("evaluator.objectives=[{"));
  EXPECT_FALSE(std::filesystem::exists(out));

  loss = joined(loss,
                {"--set", "evaluator.direction=minimise", "--set", "experiment.early_stop=median"});
  ended = run_program(little("explore", loss));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("best trial 0: loss 0 (minimise)"));
  EXPECT_THAT(ended.err, HasSubstr("best loss 0 (minimise) of trial 0"));
  const Json top = Json::parse(run_program({"top", out, "--format", "json"}).out);
  ASSERT_EQ(top.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(top[i].at("metric"), i);
    EXPECT_EQ(top[i].at("direction"), "minimise");
    EXPECT_EQ(top[i].at("directions"), (Json{{"loss", "minimise"}}));
  }
  EXPECT_EQ(read_json(folder / "run/architecture.json").at("choices"), top[0].at("choices"));
  EXPECT_THAT(run_program({"show", out}).out, HasSubstr("minimise"));
  EXPECT_THAT(run_program({"report", out}).out, HasSubstr("trial 0, loss 0 (minimise)"));
}

TEST(Exploration, FindsTheFrontOfObjectivesOfACommand) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  // The losses 0 1 2 3 with the speeds 0 1 0 3: only trials 0, 1 and 3 are of the front.
  const Ended ended = run_program(little(
      "explore",
      {"--strategy", "grid", "--evaluator", "command", "--out", out, "--set",
       R"(evaluator.objectives=[{"name": "loss", "direction": "minimise"}, {"name": "speed", "direction": "maximise"}])",
       "--set",
       R"(evaluator.command=echo "{\"loss\": $RETIA_TRIAL, \"speed\": $((RETIA_TRIAL % 2 * RETIA_TRIAL))}")"}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("best trial 0: loss 0 (minimise), speed 0 (maximise)"));
  const Json found = read_json(folder / "run/front.json");
  std::set<int64_t> front;
  for (const Json& trial : found.at("trials")) {
    front.insert(trial.at("trial").get<int64_t>());
  }
  EXPECT_EQ(front, (std::set<int64_t>{0, 1, 3}));
}

TEST(Exploration, KeepsThePlaceOfAnIntermediateNaN) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Ended ended = run_program(little(
      "explore", {"--strategy", "grid", "--evaluator", "command", "--set",
                  "evaluator.command=for x in NaN 0.2 0.3; do echo '{\"intermediate\": '$x'}'; "
                  "done; echo 0.3",
                  "--set", "experiment.early_stop=median", "--max-trials", "2", "--out", out}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("2 trials; --max-trials was reached\n"));
  for (const Json& trial : Json::parse(run_program({"show", out, "--format", "json"}).out)) {
    EXPECT_EQ(trial.at("intermediate"), Json::parse("[null, 0.2, 0.3]"));
    EXPECT_EQ(trial.at("metric"), 0.3);
  }
}

TEST(Exploration, EndsWhereTrialsFailAndRunsThemAgain) {
  const TemporaryFolder folder;
  const std::string out = folder / "run", data = folder / "data";
  const auto explore = [&](const Words& more) {
    const Words words = {"--strategy",
                         "grid",
                         "--evaluator",
                         "command",
                         "--set",
                         "evaluator.command=test -e " + data +
                             " && echo $RETIA_TRIAL || { echo no data $RETIA_TRIAL >&2; exit 1; }",
                         "--out",
                         out};
    return run_program(little("explore", joined(words, more)));
  };
  const Ended failed = explore({"--set", "experiment.max_failures=3"});
  EXPECT_EQ(failed.code, kFailed);
  EXPECT_THAT(failed.out,
              StartsWith("3 trials, 3 failed; stopped: too many trials in a row failed"));
  EXPECT_THAT(failed.err,
              HasSubstr("3 trials in a row failed, 3 of them with: the command ended with code 1: "
                        "no data 0; mend the cause, then give the same command with --resume "
                        "--retry failed\n"));
  Json report = Json::parse(run_program({"report", out, "--format", "json"}).out);
  EXPECT_THAT(report.at("state").get<std::string>(), StartsWith("stopped by failures in a row"));
  EXPECT_EQ(report.at("failures"), (Json{{"the command ended with code 1: no data 0", 3}}));

  write_plainly(data, "");
  EXPECT_THAT(explore({"--retry", "failed"}).err, HasSubstr("give --resume too"));
  EXPECT_THAT(explore({"--resume", "--retry", "1,x"}).err, HasSubstr("e.g. 3,7, but got '1,x'"));
  const Ended one = explore({"--resume", "--retry", "1", "--max-trials", "3"});
  EXPECT_EQ(one.code, kDone) << one.err;
  EXPECT_THAT(one.out, StartsWith("3 trials, 2 failed; --max-trials was reached\n"));
  const Ended all = explore({"--resume", "--retry", "failed"});
  EXPECT_EQ(all.code, kDone) << all.err;
  EXPECT_THAT(all.out, StartsWith("4 trials; the space is exhausted\n"));
  const Json trials = Json::parse(run_program({"show", out, "--format", "json"}).out);
  EXPECT_EQ(trials[2].at("attempts"), 2);
  EXPECT_EQ(trials[2].at("failures"), Json{"the command ended with code 1: no data 2"});
  EXPECT_EQ(trials[3].at("attempts"), 1);
  EXPECT_THAT(explore({"--resume", "--retry", "failed"}).err, HasSubstr("has failed"));
}

TEST(Exploration, BeginsWithWhatItIsFedAndLearnsFromOldResults) {
  const TemporaryFolder folder;
  const std::string table = write_table(folder);
  const auto run = [&](const std::string& out, const Words& more) {
    return run_program(explore(table, "evolution",
                               joined({"--set", "strategy.population=20", "--set",
                                       "strategy.sample=5", "--quiet", "--out", folder / out},
                                      more)));
  };
  const auto trials = [&](const std::string& out) {
    return Json::parse(run_program({"show", folder / out, "--format", "json"}).out);
  };
  ASSERT_EQ(run("old", {"--max-trials", "40"}).code, kDone);
  const Json best =
      Json::parse(run_program({"top", folder / "old", "-k", "3", "--format", "json"}).out);
  Json architectures = Json::array();
  for (const Json& trial : best) {
    architectures.push_back({{"choices", trial.at("choices")}});
  }
  write_json(folder / "first.json", architectures);

  // Without scores they are the first trials.
  const Words fed = {"--enqueue", folder / "first.json"};
  ASSERT_EQ(run("fed", joined(fed, {"--max-trials", "30"})).code, kDone);
  const Json all = trials("fed");
  ASSERT_EQ(all.size(), 30u);
  std::set<Json> tried;
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(tried.insert(all[i].at("choices")).second) << i;
    EXPECT_TRUE(i >= 3 || all[i].at("choices") == best[i].at("choices")) << i;
  }
  // One that is stopped tries the same, also where the file is gone.
  ASSERT_EQ(run("parts", joined(fed, {"--max-trials", "2"})).code, kDone);
  std::filesystem::remove(folder / "first.json");
  for (const char* more : {"9", "30"}) {
    ASSERT_EQ(run("parts", joined(fed, {"--resume", "--max-trials", more})).code, kDone);
  }
  const Json parts = trials("parts");
  ASSERT_EQ(parts.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(parts[i].at("choices"), all[i].at("choices")) << i;
  }

  // What an old run knows is not tried again; its 40 results fill the population.
  const Ended imported = run("new", {"--import", folder / "old", "--max-trials", "20"});
  ASSERT_EQ(imported.code, kDone) << imported.err;
  EXPECT_THAT(imported.err, HasSubstr("old: 40 results are known, 0 are left out\n"));
  std::set<Json> old;
  for (const Json& trial : trials("old")) {
    old.insert(trial.at("choices"));
  }
  double bred = 0, random = 0;
  for (const Json& trial : trials("new")) {
    EXPECT_FALSE(old.contains(trial.at("choices")));
    bred += trial.at("metric").get<double>();
  }
  for (size_t i = 0; i < 20; ++i) {
    random += trials("old")[i].at("metric").get<double>();
  }
  EXPECT_GT(bred, random);
  EXPECT_THAT(run("old", {"--resume", "--import", folder / "new"}).err,
              HasSubstr("has begun without --enqueue and --import"));
}

TEST(Exploration, SaysWhichOldResultsItCannotUse) {
  const TemporaryFolder folder;
  const auto explore = [&](const std::string& out, const Words& more) {
    return run_program(
        little("explore", joined({"--strategy", "grid", "--evaluator", "command", "--set",
                                  "evaluator.command=echo $RETIA_TRIAL", "--out", folder / out},
                                 more)));
  };
  write_json(folder / "old.json",
             Json::parse(R"([{"choices": {"body": 0, "skip": 0}, "objectives": {"metric": 7}},
                             {"trial": 5, "choices": {"bodi": 0}, "objectives": {"metric": 7}},
                             {"choices": {"body": 1, "skip": 0}}])"));
  const Ended ended = explore("new", {"--import", folder / "old.json"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("old.json: 1 results are known, 2 are left out\n  trial 5: "));
  EXPECT_THAT(ended.err, HasSubstr("did you mean 'body'?"));
  EXPECT_THAT(ended.err,
              HasSubstr("  entry 3: has no number for each of the objectives \"metric\"\n"));
  EXPECT_THAT(ended.out, StartsWith("3 trials; the space is exhausted\n"));
  const Ended refused = explore("refused", {"--enqueue", folder / "old.json"});
  EXPECT_EQ(refused.code, kFailed);
  EXPECT_THAT(refused.err, HasSubstr("old.json: trial 5: "));
  EXPECT_FALSE(std::filesystem::exists(folder / "refused"));
}

TEST(Exploration, ExploresARegressionOnATable) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    rows += std::to_string(i % 7) + "," + std::to_string(i % 5) + "," +
            std::to_string(3.5 * (i % 7) - i % 5) + "\n";
  }
  write_plainly(folder / "rows.csv", rows);
  const Ended ended = run_program({"explore",
                                   "--space",
                                   "mlp",
                                   "--strategy",
                                   "random",
                                   "--evaluator",
                                   "regression",
                                   "--data",
                                   "csv",
                                   "--data-dir",
                                   folder / "rows.csv",
                                   "--set",
                                   "data.csv.task=regression",
                                   "--set",
                                   "evaluator.metric=mae",
                                   "--max-trials",
                                   "3",
                                   "--epochs",
                                   "3",
                                   "--batch-size",
                                   "8",
                                   "--threads",
                                   "1",
                                   "--out",
                                   folder / "run"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr(": mae "));
}

TEST(Exploration, ShowsTrialsThatRun) {
  const TemporaryFolder folder;
  const std::vector<Mutable> mutables = {{.label = "op", .names = {"a", "b"}}};
  TrialStore store(store_path(folder.path()), mutables, "mine", {{"score"}});
  store.write(std::vector<Trial>{{.proposal = {.architecture = {{"op", {{1}}}}}}});
  const Json all = Json::parse(run_program({"show", folder.path(), "--format", "json"}).out);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].at("status"), "running");
  EXPECT_EQ(all[0].at("choices"), (Json{{"op", "b"}}));
  EXPECT_EQ(all[0].at("metric"), Json());
  EXPECT_THAT(run_program({"show", folder.path()}).out, HasSubstr("running"));
  EXPECT_THAT(run_program({"top", folder.path()}).err, HasSubstr("no trial in"));
}

TEST(Exploration, ShowsSixDigitsToPeopleAndAllToPrograms) {
  const TemporaryFolder folder;
  const std::vector<Mutable> mutables = {{.label = "op", .names = {"a", "b"}}};
  TrialStore store(store_path(folder.path()), mutables, "mine", {{"score"}});
  store.write(std::vector<Trial>{{.proposal = {.architecture = {{"op", {{1}}}}},
                                  .evaluation = {.objectives = {2.0 / 3}},
                                  .seconds = 4.0 / 3}});
  const auto shown = [&](const std::string& format) {
    return run_program({"top", folder.path(), "--format", format}).out;
  };
  EXPECT_EQ(shown("text"),
            "trial  status     metric    direction  seconds  op\n"
            "0      succeeded  0.666667  maximise   1.33333  b\n");
  EXPECT_THAT(shown("csv"),
              HasSubstr("0,succeeded,0.6666666666666666,maximise,,1.3333333333333333,"));
  EXPECT_EQ(Json::parse(shown("json"))[0].at("metric"), 2.0 / 3);
}

TEST(Exploration, RefusesWhereAndHowManyItCannotRun) {
  const auto error = [](const Words& more) {
    const Ended ended = run_program(little("explore", joined({"--out", "none"}, more)));
    EXPECT_EQ(ended.code, kBadUsage);
    return ended.err;
  };
  EXPECT_EQ(error({"--concurrency", "0"}), "retia: --concurrency must be at least 1, got 0\n");
  EXPECT_EQ(error({"--merge", "-1"}), "retia: --merge must be at least 1, got -1\n");
  EXPECT_THAT(error({"--runner", "inlin"}),
              HasSubstr("unknown runner 'inlin'; did you mean 'inline'?"));
  EXPECT_EQ(error({"--set", "runner.workers=2"}),
            "retia: runner 'inline': unknown key 'workers'\n");
  EXPECT_THAT(error({"--set", "experiment.early_stop=mean"}), HasSubstr("experiment.early_stop"));
}

TEST(Exploration, RefusesWhatItCannotShow) {
  const TemporaryFolder folder;
  Ended ended = run_program({"top", folder / "none", "-k", "1"});
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr("experiment.sqlite: cannot be read"));
  ended = run_program({"top"});
  EXPECT_EQ(ended.code, kBadUsage);
  EXPECT_EQ(ended.err, "retia: top needs a run directory: retia top DIR\n");
  EXPECT_EQ(run_program({"top", "x", "-k", "0"}).err, "retia: -k must be at least 1, got 0\n");
  EXPECT_THAT(run_program({"show", "x", "--format", "dot"}).err, HasSubstr("unknown format 'dot'"));
}

}  // namespace
}  // namespace retia
