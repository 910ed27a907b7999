#include "retia/engine/experiment/trial_file.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "retia/engine/io/files.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

/// A space with a choice of each kind.
ir::Graph three_choices() {
  Builder b("three");
  const Wire x = b.input("x", {4});
  const Wire wide = b.add(
      "wide", ops::linear({.out = ValueChoice<int64_t>("width", {4, 8}), .bias = false}), {x});
  const Wire op = b.layer_choice(
      "op", {{"with_bias", ops::linear({.out = 4})}, {"plain", ops::linear({.out = 4})}}, {wide});
  b.output("y", b.input_choice("skip", {x, op}, {.n_chosen = std::nullopt}));
  return b.finish();
}

TrialFile some_file() {
  const ir::Graph space = three_choices();
  const Architecture first = {{"width", {{1}}}, {"op", {{0}}}, {"skip", {{0, 1}}}};
  const Architecture second = {{"skip", {{0}}}};
  const std::vector<double> floors = {0.5, -std::numeric_limits<double>::infinity()};
  return {
      .setting = {.space = "three",
                  .evaluator = {{"name", "fake"}, {"options", {{"x", 1}}}},
                  .device = "cuda",
                  .precision = "fp64",
                  .executor = "reference",
                  .threads = 3,
                  .weights = "runs/a/weights"},
      .mutables = ir::mutables(space),
      .job = {.trials = {{.proposal = {.id = 7, .architecture = first, .epochs = 9, .continues = 2},
                          .weights = "runs/a/weights",
                          .floors = floors,
                          .model = ir::freeze(space, first)},
                         {.proposal = {.id = 9, .architecture = second},
                          .weights = "runs/a/weights",
                          .floors = floors,
                          .model = ir::freeze(space, second)}}}};
}

std::vector<Trial> some_results(const Job& job) {
  return {{.proposal = job.trials[0].proposal,
           .evaluation = {.objectives = {0.1 + 0.2, 3},
                          .metrics = {{"loss", 1.0 / 3}},
                          .intermediate = {0.25, 0.5}},
           .seconds = 1.5,
           .host = "here"},
          {.proposal = job.trials[1].proposal,
           .evaluation = {.status = TrialStatus::Failed, .error = "it \xff said \"no\""},
           .seconds = 2,
           .host = "there"}};
}

TEST(TrialFile, IsReadByItsOwnerAlone) {
  using std::filesystem::perms;
  const TemporaryFolder folder;
  write_trial_file(folder / "trial.json", some_file());
  EXPECT_EQ(std::filesystem::status(folder / "trial.json").permissions(),
            perms::owner_read | perms::owner_write);
}

TEST(TrialFile, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  const TrialFile written = some_file();
  write_trial_file(folder / "trial.json", written);
  EXPECT_EQ(folder.n_files(), 1u);
  const TrialFile read = read_trial_file(folder / "trial.json", standard_operations());
  EXPECT_EQ(read.setting.space, "three");
  EXPECT_EQ(read.setting.evaluator, written.setting.evaluator);
  EXPECT_EQ(read.setting.device, "cuda");
  EXPECT_EQ(read.setting.precision, "fp64");
  EXPECT_EQ(read.setting.executor, "reference");
  EXPECT_EQ(read.setting.threads, 3);
  EXPECT_EQ(read.setting.weights, "runs/a/weights");
  EXPECT_EQ(read.mutables, written.mutables);
  EXPECT_EQ(read.job.trials, written.job.trials);
}

TEST(TrialFile, NamesChoicesAndLeavesOutModelsThatNobodyReads) {
  const TemporaryFolder folder;
  TrialFile file = some_file();
  for (Trial& trial : file.job.trials) {
    trial.model.reset();
  }
  write_trial_file(folder / "trial.json", file);
  const Json json = read_json(folder / "trial.json");
  EXPECT_EQ(json.at("trials").at(0).at("choices"),
            Json({{"op", "with_bias"}, {"skip", {"x", "op"}}, {"width", 8}}));
  EXPECT_EQ(json.at("trials").at(0).at("model"), Json());
  const TrialFile read = read_trial_file(folder / "trial.json", standard_operations());
  EXPECT_EQ(read.job.trials, file.job.trials);
}

TEST(TrialFile, ThatIsDamagedOrForeignIsOneLineThatNamesIt) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "trial.json";
  const auto error = [&] {
    return error_of([&] { read_trial_file(path, standard_operations()); });
  };
  const std::string name = path.string();
  EXPECT_THAT(error(), HasSubstr(name + ": cannot be opened"));
  write_trial_file(path, some_file());
  const std::string whole = read_file(path);
  write_plainly(path, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(error(), HasSubstr(name + ": expected JSON, but the file ends"));
  write_plainly(path, R"({"format": "retia.graph", "version": 1})");
  EXPECT_THAT(error(), HasSubstr(name + ": expected format retia.trial version 1, found format"));
  for (const char* key : {"setting", "mutables", "floors", "trials"}) {
    Json json = Json::parse(whole);
    json.erase(key);
    write_plainly(path, json.dump());
    EXPECT_THAT(error(), HasSubstr(name + ": is damaged: ")) << key;
    EXPECT_THAT(error(), HasSubstr(key));
  }
  Json json = Json::parse(whole);
  json["trials"][0]["choices"]["op"] = "plane";
  write_plainly(path, json.dump());
  EXPECT_THAT(error(), HasSubstr(name + ": "));
  EXPECT_THAT(error(), HasSubstr("plain"));
  EXPECT_EQ(error().find('\n'), std::string::npos);
}

TEST(TrialFile, HasItsResultsBesideIt) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "trial.json";
  const Job job = some_file().job;
  const std::vector<Trial> written = some_results(job);
  write_results(path, written);
  EXPECT_EQ(result_path(path), folder / "result.json");
  const std::vector<Trial> read = read_results(path, job);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].proposal, job.trials[0].proposal);
  EXPECT_EQ(read[0].evaluation.status, TrialStatus::Succeeded);
  EXPECT_EQ(read[0].evaluation.objectives, written[0].evaluation.objectives);  // to the bit
  EXPECT_EQ(read[0].evaluation.metrics, written[0].evaluation.metrics);
  EXPECT_EQ(read[0].evaluation.intermediate, written[0].evaluation.intermediate);
  EXPECT_EQ(read[0].seconds, 1.5);
  EXPECT_EQ(read[0].host, "here");
  EXPECT_EQ(read[1].evaluation.status, TrialStatus::Failed);
  EXPECT_THAT(read[1].evaluation.error, HasSubstr("said \"no\""));
}

TEST(TrialFile, KeepsNumbersInResultsThatAreNotFinite) {
  const TemporaryFolder folder;
  const Job job{.trials = {{.proposal = {.id = 1}}}};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  write_results(folder / "trial.json",
                {{.proposal = {.id = 1},
                  .evaluation = {.objectives = {std::nan(""), kInfinity, -kInfinity},
                                 .metrics = {{"loss", std::nan("")}}}}});
  const Evaluation read = read_results(folder / "trial.json", job).front().evaluation;
  EXPECT_THAT(read.objectives, ElementsAre(IsNan(), kInfinity, -kInfinity));
  EXPECT_THAT(read.metrics.at("loss"), IsNan());
}

TEST(TrialFile, RefusesResultsOfAnotherJob) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "trial.json";
  const Job job = some_file().job;
  write_results(path, some_results(job));
  const auto error = [&](const Job& other) { return error_of([&] { read_results(path, other); }); };
  Job other = job;
  other.trials[0].proposal.id = 8;
  EXPECT_THAT(error(other), HasSubstr("result.json: is of trial 7 with"));
  other = job;
  other.trials[1].proposal.architecture = {{"skip", {{1}}}};
  EXPECT_THAT(error(other), HasSubstr("expected 9 with {skip: 1}"));
  other = job;
  other.trials.pop_back();
  EXPECT_THAT(error(other), HasSubstr("holds 2 results, expected 1"));
  Json json = read_json(result_path(path));
  json["results"][1]["status"] = "fine";
  write_plainly(result_path(path), json.dump());
  EXPECT_THAT(error(job), HasSubstr("is damaged: unknown status \"fine\""));
}

}  // namespace
}  // namespace retia
