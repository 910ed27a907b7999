#include <gmock/gmock.h>

#include <algorithm>

#include "retia/engine/base/device.h"
#include "retia/tests/apps/program_runs.h"
#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// Expects a refusal: the exit code, one line on stderr with `part` in it, nothing on stdout.
void expect_refusal(const Words& words, ExitCode code, const std::string& part) {
  SCOPED_TRACE(testing::PrintToString(words));
  const Ended ended = run_program(words);
  EXPECT_EQ(ended.code, code);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  EXPECT_THAT(ended.err, AllOf(StartsWith("retia: "), EndsWith("\n"), HasSubstr(part)));
}

class BadInput : public testing::Test {
 protected:
  /// A search into `out`, quietly.
  Words search(const Words& more) const {
    return little("search", joined({"--epochs", "1", "--quiet", "--out", out()}, more));
  }
  Words retrain(const std::filesystem::path& architecture) const {
    return little("retrain",
                  {"--epochs", "1", "--quiet", "--out", out(), "--architecture", architecture});
  }
  std::string out() const { return folder_ / "run"; }
  /// A file of this text.
  std::string file(const std::string& name, const std::string& text) const {
    write_plainly(folder_ / name, text);
    return folder_ / name;
  }
  /// Refused, and nothing was written.
  void expect_usage_error(const Words& words, const std::string& part) const {
    expect_refusal(words, kBadUsage, part);
    EXPECT_FALSE(std::filesystem::exists(out()));
  }
  void expect_failure(const Words& words, const std::string& part) const {
    expect_refusal(words, kFailed, part);
    EXPECT_FALSE(std::filesystem::exists(out()));
  }

  const TemporaryFolder folder_;
};

TEST_F(BadInput, NamesTheNearestCommand) {
  expect_usage_error({"serach"}, "unknown command 'serach'; did you mean 'search'?");
  expect_usage_error({"explor", "--space", "tiny"}, "did you mean 'explore'?");
  expect_usage_error({"--space", "tiny"}, "unknown command '--space'");
}

TEST_F(BadInput, NamesTheNearestOptionAndTakesNoAbbreviation) {
  expect_usage_error(search({"--algorith", "darts"}),
                     "unknown option --algorith; did you mean '--algorithm'?");
  expect_usage_error(search({"--lernrate", "2"}), "unknown option --lernrate; known: --");
  expect_usage_error(search({"--checkpoint", out()}), "unknown option --checkpoint");
  expect_usage_error(search({"-q"}), "unknown option -q");
  expect_usage_error(search({"tiny"}), "unexpected word 'tiny': every option begins with --");
  expect_usage_error(search({"--", "big", "net"}), "unexpected word 'big'");
  expect_usage_error(search({"--resume=1"}), "'--resume' does not take any arguments");
  expect_usage_error(search({"--seed"}), "--seed");
  expect_usage_error(search({"--out", out()}), "'--out' cannot be specified more than once");
}

TEST_F(BadInput, NamesTheNearestOfATable) {
  Words words = search({});
  words[2] = "tinny";
  expect_usage_error(words, "unknown space 'tinny'; did you mean 'tiny'?");
  const auto set = [&](const std::string& assignment) { return search({"--set", assignment}); };
  expect_usage_error(set("data.name=synthetik"),
                     "unknown data set 'synthetik'; did you mean 'synthetic'?");
  expect_usage_error(search({"--algorithm", "dart"}),
                     "unknown algorithm 'dart'; did you mean 'darts'?");
  expect_usage_error(little("explore", {"--out", out(), "--strategy", "gird"}),
                     "unknown strategy 'gird'; did you mean 'grid'?");
  expect_usage_error(little("explore", {"--out", out(), "--evaluator", "clasification"}),
                     "did you mean 'classification'?");
  expect_usage_error(set("run.device=gpu"), "unknown device 'gpu'");
  expect_usage_error(search({"--precision", "fp46"}), "unknown precision 'fp46'; did you mean '");
  expect_usage_error(search({"--precision", "fp16"}),
                     "--precision fp16 is for --device cuda: on a CPU take --precision bf16");
  expect_usage_error(set("weight_optimizer.schedule.shape=cosin"),
                     "unknown shape 'cosin'; did you mean 'cosine'?");
  expect_usage_error(set("weight_optimizer.schedule.step_size=2"),
                     "weight_optimizer.schedule: milestones and step_size are of shape step");
  expect_usage_error(set("trainer.accumulate=0"), "accumulate must be at least 1, got 0");
  expect_failure(search({"--set", "trainer.accumulate=3"}),
                 "8 samples of a step cannot be cut into 3 equal parts");
  expect_usage_error(little("explore", {"--out", out(), "--set", "trainer.ema=0.9"}),
                     "explore: trials neither accumulate gradients nor average weights");
  expect_usage_error(set("trainer.ema=1"), "trainer.ema must be below 1, got 1");
  expect_usage_error(search({"--executor", "referense"}), "did you mean 'reference'?");
  expect_usage_error(joined({"space", "tiny", "--format", "ri"}, little_data()),
                     "unknown format 'ri'");
}

TEST_F(BadInput, NamesTheNearestSectionAndKey) {
  const auto set = [&](const std::string& assignment) { return search({"--set", assignment}); };
  expect_usage_error(set("trainr.epochs=1"),
                     "unknown section of the configuration 'trainr'; did you mean 'trainer'?");
  expect_usage_error(set("trainer.epoch=1"), "did you mean 'epochs'?");
  expect_usage_error(set("space.chanels=1"),
                     "space 'tiny': unknown key 'chanels'; did you mean 'channels'?");
  expect_usage_error(set("algorithm.ordr=1"), "did you mean 'order'?");
  expect_usage_error(set("data.synthetic.n_trian=1"),
                     "data.synthetic: unknown key 'n_trian'; did you mean 'n_train'?");
  expect_usage_error(set("run.sed=1"), "did you mean 'seed'?");
  expect_usage_error(set("weight_optimizer.momentun=1"), "did you mean 'momentum'?");
  expect_usage_error(set("epochs"), "expected section.key=value");
  expect_usage_error(set("epochs=1"), "unknown section of the configuration 'epochs'");
  expect_usage_error(set("trainer=1"), "trainer: expected an object, got 1");
  expect_usage_error(set("strategy.name=grid"),
                     "--set strategy.name=grid: search has no strategy, remove it");
  expect_usage_error(little("explore", {"--out", out(), "--set", "algorithm.name=spos"}),
                     "explore has no algorithm");
}

TEST_F(BadInput, NamesTheTypeThatAnOptionTakes) {
  expect_usage_error(search({"--seed", "many"}), "--seed: expected an integer (the default is 0)");
  expect_usage_error(search({"--time-limit", "long"}), "--time-limit: expected a number");
  const auto set = [&](const std::string& assignment) { return search({"--set", assignment}); };
  expect_usage_error(set("trainer.batch_size=1.5"), "trainer.batch_size: expected an integer");
  expect_usage_error(set("space.channels=true"), "space 'tiny'.channels: expected an integer");
  expect_usage_error(set("weight_optimizer.lr=big"), "weight_optimizer.lr: expected a number");
  expect_usage_error(set("data.augment.flip=upside"), "data.augment.flip");
  expect_usage_error(set("space.name=3"), "space: name must be a text, got 3");
  expect_usage_error(set("run.out=[]"), "run.out: expected a string");
}

TEST_F(BadInput, NamesTheRangeOfANumber) {
  const auto with = [&](const std::string& option, const std::string& value) {
    return little("explore", {"--out", out(), "--" + option, value});
  };
  expect_usage_error(with("epochs", "0"), "--epochs must be at least 1, got 0");
  expect_usage_error(with("seed", "-1"), "--seed must be at least 0, got -1");
  expect_usage_error(with("max-trials", "-1"), "--max-trials must be at least 0, got -1");
  expect_usage_error(with("max-duration", "-0.5"), "--max-duration must be at least 0, got -0.5");
  expect_usage_error(search({"--set", "run.threads=-2"}), "--threads must be at least 0, got -2");
  expect_usage_error(search({"--set", "run.threads=5000"}),
                     "--threads must be at most 4096, got 5000");
  expect_usage_error(search({"--set", "trainer.digest_every=-1"}),
                     "trainer.digest_every must be at least 0, got -1");
  expect_usage_error(search({"--set", "data.synthetic.n_train=0"}),
                     "data.synthetic.n_train must be at least 1, got 0");
  expect_usage_error({"top", out(), "-k", "0"}, "-k must be at least 1, got 0");
  expect_usage_error(search({"--set", "trainer.batch_size=0"}),
                     "--batch-size must be at least 1, got 0");
  expect_usage_error(search({"--set", "weight_optimizer.lr=1e30"}),
                     "weight_optimizer.lr must be at most 1000000, got");
  expect_usage_error(search({"--set", "trainer.label_smoothing=1"}),
                     "trainer.label_smoothing must be below 1, got 1");
  expect_usage_error(search({"--seed", "99999999999999999999"}), "--seed: expected");
}

TEST_F(BadInput, NamesTheOptionThatIsMissing) {
  const Words tiny = joined({"--space", "tiny"}, little_data());
  expect_usage_error(joined({"search"}, tiny), "search needs --out DIR");
  expect_usage_error(joined({"explore"}, tiny), "explore needs --out DIR");
  expect_usage_error(joined({"retrain", "--out", out()}, tiny),
                     "retrain needs a file: retia retrain FILE");
  expect_usage_error(joined({"retrain", "--architecture", "a.json"}, tiny),
                     "retrain needs --out DIR");
  expect_usage_error(joined({"evaluate", "--architecture", "a.json"}, tiny),
                     "evaluate needs a run directory: retia evaluate DIR");
  expect_usage_error(joined({"evaluate", "--checkpoint", out()}, tiny),
                     "evaluate needs --architecture FILE");
  const std::string none = "no space was given: add --space NAME, one of darts, darts_cnn, ";
  expect_usage_error({"search", "--out", out()}, none);
  expect_usage_error({"space"}, none);
  expect_usage_error({"space", ""}, none);
}

TEST_F(BadInput, RefusesAConfigurationThatIsNone) {
  expect_usage_error(search({"--config", folder_ / "none.json"}),
                     "none.json: cannot be opened: No such file or directory");
  expect_usage_error(search({"--config", file("cut.json", "{\"trainer\": {")}),
                     "cut.json: expected JSON, but the file ends at byte 13");
  expect_usage_error(search({"--config", file("list.json", "[]")}),
                     "list.json: expected an object of sections");
  expect_usage_error(search({"--config", file("a.json", R"({"trainer": {"epoch": 2}})")}),
                     "did you mean 'epochs'?");
}

TEST_F(BadInput, RefusesATruncatedArchitecture) {
  const std::string path = folder_ / "a.json";
  expect_failure(retrain(path), path + ": cannot be opened: No such file or directory");
  write_json(path, {{"format", "retia.architecture"},
                    {"version", 1},
                    {"space", "tiny"},
                    {"choices", {{"body", "skip"}, {"skip", "body"}}}});
  const std::string whole = read_file(path);
  for (const size_t n : {size_t{0}, size_t{1}, size_t{7}, whole.size() / 2, whole.size() - 3}) {
    file("a.json", whole.substr(0, n));
    expect_failure(retrain(path), path + ": expected JSON, but the file ends at byte " +
                                      std::to_string(n) + " in the middle of it");
  }
}

TEST_F(BadInput, RefusesAnArchitectureThatTheSpaceDoesNotHave) {
  const std::string path = folder_ / "a.json";
  const auto expect = [&](const Json& patch, const std::string& part) {
    Json json = {{"format", "retia.architecture"},
                 {"version", 1},
                 {"space", "tiny"},
                 {"choices", {{"body", "skip"}, {"skip", "body"}}}};
    json.merge_patch(patch);
    write_json(path, json);
    expect_failure(retrain(path), path + ": ");
    expect_failure(retrain(path), part);
  };
  expect({{"version", 2}}, "expected format retia.architecture version 1, found version 2");
  expect({{"format", "retia.graph"}}, "found format retia.graph");
  expect({{"space", "darts_cnn"}}, "is of space 'darts_cnn', expected 'tiny'");
  expect({{"choices", {{"body", "conv3x4"}}}},
         "layer choice 'body': unknown candidate 'conv3x4'; did you mean 'conv3x3'?");
  expect({{"choices", {{"body", 3}}}}, "index 3 is outside its 3 candidates");
  expect({{"choices", {{"body", {0, 1}}}}}, "layer choice 'body'");
  expect({{"choices", {{"bodi", "skip"}}}},
         "'bodi', which this space does not have; did you mean 'body'?");
  expect({{"choices", {{"body", nullptr}}}}, "'body'");
  expect({{"choices", 3}}, "expected an object");
  expect({{"choces", 3}}, "unknown key 'choces'; did you mean 'choices'?");
}

TEST_F(BadInput, RefusesAFolderThatHoldsAnotherRunOrFiles) {
  ASSERT_EQ(run_program(search({})).code, kDone);
  const Json before = read_json(folder_ / "run/config.json");
  expect_refusal(search({}), kFailed,
                 out() + " already holds a run: give another --out, or continue it with --resume");
  expect_refusal(search({"--resume", "--seed", "2"}), kFailed, "run.seed was 0 and is 2 now");
  expect_refusal(search({"--resume", "--set", "space.channels=4"}), kFailed,
                 "space.channels was 8 and is 4 now");
  expect_refusal(search({"--resume", "--algorithm", "spos"}), kFailed, "algorithm.");
  Words other = search({"--resume"});
  other[0] = "explore";
  expect_refusal(other, kFailed, "holds a run with other options: ");
  EXPECT_EQ(read_json(folder_ / "run/config.json"), before);

  std::filesystem::create_directory(folder_ / "thesis");
  write_plainly(folder_ / "thesis/thesis.tex", "");
  const std::string thesis = folder_ / "thesis";
  for (const Words& more : {Words{}, Words{"--resume"}}) {
    expect_refusal(little("search", joined({"--quiet", "--out", thesis}, more)), kFailed, thesis);
    const auto entries = std::filesystem::directory_iterator(thesis);
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  }
  expect_refusal(little("search", {"--out", file("file", "")}), kFailed, "is a file");
}

TEST_F(BadInput, RefusesDataThatIsMissingOrTruncated) {
  const std::string data = folder_ / "data";
  const Words words = {"search",     "--space", "tiny",  "--data", "mnist",        "--threads", "1",
                       "--data-dir", data,      "--out", out(),    "--batch-size", "4"};
  expect_failure(words, "there is no folder " + data);
  write_idx_folder(data);
  const std::string labels = folder_ / "data/t10k-labels-idx1-ubyte";
  const std::string whole = read_file(labels);
  write_plainly(labels, whole.substr(0, whole.size() - 1));
  expect_failure(words, labels + " is damaged: its header says [10] bytes, but 9 follow");
  write_plainly(labels, whole.substr(0, 5));
  expect_failure(words, labels + " is cut short");
  std::filesystem::remove(labels);
  expect_failure(words, "t10k-labels-idx1-ubyte");
}

TEST_F(BadInput, RefusesABatchLargerThanTheData) {
  expect_failure(search({"--set", "trainer.batch_size=33"}),
                 "33 samples or more are needed for one batch, but there are 32");
  EXPECT_THAT(run_program(search({"--set", "data.valid_fraction=0.01"})).err,
              HasSubstr("retia: data set 'synthetic': 8 samples or more are needed for one batch, "
                        "but there are 1\n"));
}

TEST_F(BadInput, RefusesToPrintASpaceInTwoWays) {
  expect_failure(joined({"space", "tiny", "--profile", "--plan"}, little_data()),
                 "give one of them");
  expect_failure(joined({"space", "tiny", "--plan", "--format", "dot"}, little_data()),
                 "give one of them");
}

TEST_F(BadInput, RefusesNumbersToPredict) {
  const std::string table = file("t.csv", "a,y\n1,0.5\n2,1.5\n3,2.5\n4,3.5\n5,0.1\n");
  expect_failure({"search", "--space", "tiny", "--data", "csv", "--data-dir", table, "--set",
                  "data.csv.task=regression", "--out", out()},
                 "'csv' holds numbers to predict, but search trains models to tell classes apart: "
                 "`retia explore --evaluator regression`");
}

TEST_F(BadInput, RefusesASpaceFileThatIsNoGraph) {
  const auto expect = [&](const std::string& path, const std::string& part) {
    Words words = search({});
    words[2] = path;
    expect_failure(words, path + ": ");
    expect_failure(words, part);
  };
  expect(folder_ / "none.json", "cannot be opened");
  expect(file("text.json", "graph"), "expected JSON");
  expect(file("other.json", R"({"format": "retia.architecture", "version": 1})"),
         "expected format retia.graph");
  expect(file("future.json", R"({"format": "retia.graph", "version": 9})"), "found version 9");
  expect(file("empty.json", R"({"format": "retia.graph", "version": 1})"), "malformed graph: key");

  const Json graph =
      Json::parse(run_program(joined({"space", "tiny", "--format", "ir"}, little_data())).out);
  const auto write = [&](const std::string& name, const Json& json) {
    write_json(folder_ / name, json);
    return (folder_ / name).string();
  };
  Json changed = graph;
  changed["nodes"][0]["input"]["shape"] = {3, 8, 8};
  expect(write("wide.json", changed),
         "its input has shape [3, 8, 8], but the data asks for [1, 8, 8]");
  changed = graph;
  changed["nodes"].back()["parameters"]["out"] = 7;
  expect(write("few.json", changed), "its output has shape [7], but the data asks for [10]");
  changed = graph;
  changed["nodes"][1]["type"] = "conv_bm";
  expect(write("typo.json", changed), "did you mean 'conv_bn'?");
  changed = graph;
  changed["nodes"][1]["parameters"]["kernal"] = 3;
  expect(write("key.json", changed), "did you mean 'kernel'?");
  changed = graph;
  changed["nodes"][1]["inputs"] = {99};
  expect(write("wire.json", changed), "99");
  changed = graph;
  changed["nodes"] = 3;
  expect(write("nodes.json", changed), "malformed graph");
}

TEST_F(BadInput, RefusesARunThatHoldsNoWeightsForTheArchitecture) {
  const std::string architecture = file("a.json", R"({"body": "conv3x3", "skip": "body"})");
  const auto evaluate = [&](const std::string& run) {
    return little("evaluate", {"--architecture", architecture, "--checkpoint", run});
  };
  expect_failure(evaluate(folder_ / "none"), "none/config.json: cannot be opened");
  std::filesystem::create_directory(folder_ / "damaged");
  file("damaged/config.json", R"({"format": "retia.config", "version": 1})");
  expect_failure(evaluate(folder_ / "damaged"), "damaged/config.json is damaged");

  const std::string stem = file("b.json", R"({"body": "skip", "skip": "stem"})");
  const std::string run = out();
  ASSERT_EQ(run_program(retrain(stem)).code, kDone);
  expect_refusal(evaluate(run), kFailed, "there are no weights for 'body/conv3x3");
  Words other = evaluate(run);
  other[2] = "darts_cnn";
  expect_refusal(other, kFailed, "is a run in space \"tiny\", expected 'darts_cnn'");
  expect_refusal(joined(evaluate(run), {"--set", "data.synthetic.n_classes=4"}), kFailed,
                 "its output has shape [10], but the data asks for [4]");
  std::filesystem::remove_all(folder_ / "run/checkpoints");
  expect_refusal(evaluate(run), kFailed, "holds no checkpoint yet");
}

TEST_F(BadInput, StopsAtALossThatIsNotFiniteAndKeepsTheLastCheckpoint) {
  // Each step multiplies the weights by about -100: finite for an epoch, not for five.
  const Words words =
      little("retrain", {"--quiet", "--epochs", "5", "--out", out(), "--resume", "--architecture",
                         file("a.json", R"({"body": "skip", "skip": "stem"})"), "--set",
                         "weight_optimizer.lr=10", "--set", "weight_optimizer.final_lr=10", "--set",
                         "weight_optimizer.weight_decay=10", "--set", "data.valid_fraction=0"});
  const std::string part = " became infinite or NaN at step ";
  expect_refusal(words, kFailed, part);
  EXPECT_GE(metrics_of(out()).size(), 1u);
  const Checkpoint saved = newest_checkpoint(out());
  EXPECT_GE(saved.state["epoch"], 1);
  for (const auto& [name, tensor] : saved.tensors) {
    EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/finished.json"));
  expect_refusal(words, kFailed, part);
}

TEST_F(BadInput, StopsAtALossThatIsNotFiniteInTheFirstEpoch) {
  expect_refusal(
      search({"--set", "weight_optimizer.lr=1e6", "--set", "weight_optimizer.gradient_clip=0",
              "--set", "weight_optimizer.weight_decay=1e6"}),
      kFailed, " became infinite or NaN at step ");
  EXPECT_EQ(metrics_of(out()), std::vector<Json>{});
}

TEST_F(BadInput, SaysWhenThereIsNoGpu) {
  if (available_devices().size() > 1) {
    GTEST_SKIP() << "there is a GPU";
  }
  expect_failure(search({"--device", "cuda"}), "no CUDA device was found");
}

TEST_F(BadInput, FallsBackFromADamagedCheckpoint) {
  Words words = little("search", {"--epochs", "3", "--out", out(), "--resume"});
  ASSERT_EQ(run_program(words).code, kDone);
  std::filesystem::copy(out(), folder_ / "whole", std::filesystem::copy_options::recursive);
  std::filesystem::remove(folder_ / "run/finished.json");
  const std::string newest = folder_ / "run/checkpoints/step-000012.safetensors";
  const std::string bytes = read_file(newest);
  write_plainly(newest, bytes.substr(0, bytes.size() / 2));

  const Ended scored = run_program(little(
      "evaluate", {"--checkpoint", out(), "--architecture", folder_ / "run/architecture.json"}));
  EXPECT_EQ(scored.code, kDone);
  EXPECT_THAT(scored.err, AllOf(HasSubstr(newest), HasSubstr("step-000008.safetensors instead")));

  const Ended resumed = run_program(words);
  EXPECT_EQ(resumed.code, kDone) << resumed.err;
  EXPECT_THAT(resumed.err,
              AllOf(HasSubstr("step-000008.safetensors instead"), HasSubstr("after step 8")));
  expect_equal_runs(folder_ / "whole", out());
}

}  // namespace
}  // namespace retia
