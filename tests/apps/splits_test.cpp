#include <gmock/gmock.h>

#include "retia/apps/run_split.h"
#include "retia/engine/base/random.h"
#include "retia/tests/apps/program_runs.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Rows of two classes, 0 and 1, that two features tell apart.
std::string rows(int64_t n, uint64_t seed) {
  Random random(seed);
  std::string text = "x,y,class\n";
  for (int64_t i = 0; i < n; ++i) {
    const int64_t c = i % 2;
    text += c10::str(c == 0 ? -1 + random.uniform() : random.uniform(), ",", random.uniform(), ",",
                     c, "\n");
  }
  return text;
}

class Splits : public testing::Test {
 protected:
  /// A command on the table in `data`, a file or a folder.
  Words on(const std::filesystem::path& data, const std::string& command, const Words& more) const {
    return joined({command, "--space", "mlp", "--data", "csv", "--data-dir", data, "--set",
                   "space.widths=[8,16]", "--set", "space.layers=1", "--batch-size", "8",
                   "--threads", "1", "--quiet"},
                  more);
  }
  Ended done(const Words& words) const {
    Ended ended = run_program(words);
    EXPECT_EQ(ended.code, kDone) << ended.err;
    return ended;
  }
  /// Searches the table, as a run of this name, and returns the file of the architecture.
  std::string searched(const std::filesystem::path& data, const std::string& name,
                       const Words& more = {}) const {
    done(on(data, "search",
            joined({"--algorithm", "random", "--epochs", "1", "--out", folder_ / name}, more)));
    return folder_ / (name + "/architecture.json");
  }
  std::filesystem::path table(const std::string& name, const std::string& text) const {
    make_folder(folder_ / name);
    write_plainly(folder_ / name, text);
    return folder_ / name;
  }
  static void make_folder(const std::filesystem::path& file) {
    std::filesystem::create_directories(file.parent_path());
  }

  const TemporaryFolder folder_;
};

TEST_F(Splits, NothingButTheFinalScoreDependsOnTheTestSamples) {
  for (const char* name : {"a", "b"}) {
    table(std::string(name) + "/train.csv", rows(80, 1));
    table(std::string(name) + "/test.csv", rows(40, name[0] == 'a' ? 2 : 3));
  }
  const std::string found = searched(folder_ / "a", "search");
  std::map<std::string, std::string> chosen;
  for (const std::string name : {"a", "b"}) {
    done(on(folder_ / name, "retrain",
            {"--architecture", found, "--epochs", "6", "--out", folder_ / ("retrained-" + name)}));
    done(on(folder_ / name, "explore",
            {"--strategy", "random", "--max-trials", "3", "--epochs", "1", "--out",
             folder_ / ("explored-" + name)}));
    chosen[name] = read_file(folder_ / ("retrained-" + name + "/checkpoints/best.safetensors"));
  }
  EXPECT_EQ(metrics_of(folder_ / "retrained-a"), metrics_of(folder_ / "retrained-b"));
  EXPECT_EQ(read_json(folder_ / "explored-a/architecture.json"),
            read_json(folder_ / "explored-b/architecture.json"));
  EXPECT_EQ(read_split(folder_ / "retrained-a")->valid, read_split(folder_ / "retrained-b")->valid);
  EXPECT_NE(read_split(folder_ / "retrained-a")->test, read_split(folder_ / "retrained-b")->test);
}

TEST_F(Splits, KeepsAndScoresTheWeightsThatTheHeldOutSamplesChoose) {
  const std::filesystem::path data = table("rows.csv", rows(100, 1));
  const std::string found = searched(data, "search"), run = folder_ / "run";
  // A rate of learning at which the last epoch is rarely the best.
  const Ended ended = done(on(
      data, "retrain",
      {"--architecture", found, "--epochs", "9", "--set", "weight_optimizer.lr=3", "--out", run}));
  double best = 0;
  int64_t epoch = 0;
  for (const Json& line : metrics_of(run)) {
    if (line.at("valid_accuracy") > best) {
      best = line["valid_accuracy"];
      epoch = line["epoch"];
    }
  }
  char said[80];
  std::snprintf(said, sizeof said, "valid accuracy %.2f %%, the best, after epoch %d\n", 100 * best,
                static_cast<int>(epoch));
  EXPECT_THAT(ended.out, HasSubstr(said));
  const SplitRecord split = read_split(run).value();
  EXPECT_EQ(split.train.size(), 72u);
  EXPECT_EQ(split.valid.size(), 8u);
  EXPECT_EQ(split.test.size(), 20u);
  const Ended scored = done(on(data, "evaluate", {"--architecture", found, "--checkpoint", run}));
  EXPECT_THAT(
      scored.out,
      testing::StartsWith("scored on the test split of the run, 20 samples of csv\ntest loss "));
  const std::string accuracy = scored.out.substr(scored.out.find("test accuracy"));
  EXPECT_THAT(ended.out, testing::EndsWith(accuracy));
  EXPECT_EQ(read_json(run + "/finished.json").at("test_samples"), 20);
  EXPECT_THAT(run_program({"report", run}).out, HasSubstr("test_accuracy"));
}

TEST_F(Splits, TrainsOnAllSamplesWhereNoneAreHeldOut) {
  const std::filesystem::path data = table("rows.csv", rows(100, 1));
  const std::string found = searched(data, "search"), run = folder_ / "run";
  const Ended ended = done(on(
      data, "retrain",
      {"--architecture", found, "--epochs", "2", "--set", "data.valid_fraction=0", "--out", run}));
  EXPECT_THAT(ended.out, HasSubstr("\nweights of the last epoch, since no samples were held out\n"
                                   "test accuracy "));
  EXPECT_EQ(read_split(run)->train.size(), 80u);
  EXPECT_FALSE(metrics_of(run).back().contains("valid_accuracy"));
  EXPECT_FALSE(std::filesystem::exists(run + "/checkpoints/best.safetensors"));
  const Ended refused = run_program(
      on(data, "search", {"--set", "data.valid_fraction=0", "--out", folder_ / "none"}));
  EXPECT_EQ(refused.code, kBadUsage);
  EXPECT_THAT(refused.err, HasSubstr("data.valid_fraction must be above 0, got 0: search chooses"));
}

TEST_F(Splits, NeverTrainsOnWhatTheSearchWasTestedOn) {
  const std::filesystem::path data = table("rows.csv", rows(100, 1));
  const std::string found = searched(data, "search"), run = folder_ / "run";
  const Ended ended = done(on(
      data, "retrain",
      {"--architecture", found, "--epochs", "1", "--set", "data.csv.split_seed=7", "--out", run}));
  const SplitRecord search = read_split(folder_ / "search").value();
  const SplitRecord retrained = read_split(run).value();
  EXPECT_TRUE(found_in(retrained.train, search.test).empty());
  EXPECT_TRUE(found_in(retrained.valid, search.test).empty());
  EXPECT_LT(retrained.train.size() + retrained.valid.size(), 80u);
  EXPECT_THAT(ended.err, HasSubstr("samples of data set 'csv' are left out: the search of this "
                                   "architecture was tested on them"));
}

TEST_F(Splits, ScoresOtherDataWholeAndSaysWhatItWasTrainedOn) {
  const std::string text = rows(100, 1);
  const std::filesystem::path data = table("rows.csv", text);
  const std::string found = searched(data, "search"), run = folder_ / "run";
  done(on(data, "retrain", {"--architecture", found, "--epochs", "1", "--out", run}));
  const auto scored = [&](const std::string& name, const std::string& content) {
    return done(
               on(table(name, content), "evaluate", {"--architecture", found, "--checkpoint", run}))
        .out;
  };
  EXPECT_THAT(
      scored("new.csv", rows(30, 9)),
      testing::MatchesRegex("scored on all 30 samples of csv, other data than the run's, none "
                            "of which the model was trained on\nloss .*\naccuracy .* %\n"));
  // All the rows of the run with ten more: 72 trained, 8 chose.
  EXPECT_THAT(
      scored("more.csv", text + rows(10, 5).substr(10)),
      HasSubstr("all 110 samples of csv, other data than the run's, 72 of which the model was "
                "trained on and 8 of which it was chosen by"));
}

TEST_F(Splits, RefusesToGoOnWithOtherSamples) {
  const DataSplits data = standard_data_sets().load({.name = "synthetic"});
  const SplitRecord one = record_of(data, split_of(data.train, 0.5, 1), 0.5, 1);
  RunDirectory run = RunDirectory::create(folder_ / "run", Json::object());
  EXPECT_THAT(error_of([&] { keep_split(run, one, true); }),
              HasSubstr("was begun by a version that splits the samples otherwise"));
  keep_split(run, one, false);
  keep_split(run, one, true);
  const SplitRecord other = record_of(data, split_of(data.train, 0.5, 2), 0.5, 2);
  EXPECT_THAT(error_of([&] { keep_split(run, other, true); }),
              HasSubstr("its 512 training samples are others, or in another order: give the data"));
  SplitRecord fewer = one;
  fewer.test.pop_back();
  EXPECT_THAT(error_of([&] { keep_split(run, fewer, true); }),
              HasSubstr("it had 256 test samples and has 255 now"));
  EXPECT_EQ(split_again(data, other).valid, split_of(data.train, 0.5, 2).valid);
  EXPECT_EQ(error_of([&] { split_again(data, fewer); }), "(no error)");
  fewer.train.pop_back();
  EXPECT_THAT(error_of([&] { split_again(data, fewer); }),
              HasSubstr("does not hold the samples of the search"));
}

TEST_F(Splits, TellsWhichClassesAPartLacks) {
  std::string text = rows(60, 1);
  const auto err = [&](const std::string& name) {
    return done(on(table(name, text), "search",
                   {"--algorithm", "random", "--epochs", "1", "--out", folder_ / ("of-" + name)}))
        .err;
  };
  EXPECT_THAT(err("two.csv"), testing::Not(HasSubstr("lacks")));
  text += "9,9,2\n";
  EXPECT_THAT(err("rare.csv"), HasSubstr("part lacks 1 of 3 classes, e.g. 2"));
}

}  // namespace
}  // namespace retia
