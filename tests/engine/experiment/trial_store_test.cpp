#include "retia/engine/experiment/trial_store.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::vector<Mutable> kMutables = {
    {.label = "op", .names = {"conv", "skip"}},
    {.label = "width", .kind = MutableKind::ValueChoice, .names = {"8", "16"}}};
const std::vector<Objective> kObjectives = {{"accuracy"}, {"cost", Direction::Minimise}};

Trial record(int64_t id) {
  return {.proposal = {.id = id,
                       .architecture = {{"op", {{id % 2}}}, {"width", {{1}}}},
                       .epochs = 3,
                       .continues = id - 1},
          .floors = {0.2},
          .n_told = id,
          .job = id,
          .seed = 3,
          .evaluation = {.objectives = {0.1 * static_cast<double>(id), 1e6},
                         .metrics = {{"loss", 1.0 / 3}},
                         .intermediate = {0.25, 0.5}},
          .seconds = 1.5,
          .began = 1.7e9 + 0.125,
          .ended = 1.7e9 + 1.625,
          .host = "node1",
          .log = "logs/a b.txt",
          .n_attempts = 2};
}

Trial begun(int64_t id) {
  return {.proposal = record(id).proposal, .n_told = id, .job = id, .began = 1.7e9};
}

TrialStore store_in(const TemporaryFolder& folder, const std::string& space = "mine") {
  return TrialStore(store_path(folder.path()), kMutables, space, kObjectives);
}

std::vector<Trial> all(const TrialStore& store) {
  std::vector<Trial> records;
  store.each([&](const Trial& found) { records.push_back(found); });
  return records;
}

TEST(TrialStore, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::vector<Trial> records = {record(0), record(1)};
  Trial failed = begun(2);
  failed.evaluation.status = TrialStatus::Failed;
  failed.evaluation.error = "it's \"gone\"; \xc3\xa9";
  {
    TrialStore store = store_in(folder);
    store.write(records);
    store.write(std::vector{failed, begun(3)});
    EXPECT_EQ(all(store).size(), 4u);
  }
  EXPECT_EQ(folder.n_files(), 1u) << "the log of what was written is folded in";
  TrialStore store = store_in(folder);
  EXPECT_EQ(all(store), (std::vector{record(0), record(1), failed, begun(3)}));
  store.write(std::vector{record(3)});
  EXPECT_EQ(all(store).back(), record(3));
}

TEST(TrialStore, KeepsNumbersThatJsonDoesNotKnow) {
  const TemporaryFolder folder;
  Trial odd = record(0);
  odd.evaluation.intermediate = {std::nan(""), 0.5};
  TrialStore store = store_in(folder);
  store.write(std::vector{odd});
  const std::vector<double> found = all(store).front().evaluation.intermediate;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(std::isnan(found[0]));
  EXPECT_EQ(found[1], 0.5);
}

TEST(TrialStore, IsReadWhileItIsWritten) {
  const TemporaryFolder folder;
  TrialStore store = store_in(folder);
  store.begin_run({.began = 5, .host = "here", .process = 12, .concurrency = 2, .max_trials = 9});
  store.update_run(0.5);
  store.write(std::vector{record(0), begun(1)});
  const ListedTrials listed = list_trials(folder.path());
  EXPECT_EQ(listed.space, "mine");
  EXPECT_EQ(listed.objectives[1].name, "cost");
  ASSERT_EQ(listed.trials.size(), 2u);
  EXPECT_EQ(listed.trials[0], (Json{{"trial", 0},
                                    {"status", "succeeded"},
                                    {"choices", {{"op", "conv"}, {"width", 16}}},
                                    {"epochs", 3},
                                    {"continues", -1},
                                    {"objectives", {0.0, 1e6}},
                                    {"metrics", {{"loss", 1.0 / 3}}},
                                    {"intermediate", {0.25, 0.5}},
                                    {"error", ""},
                                    {"seconds", 1.5},
                                    {"started", 1.7e9 + 0.125},
                                    {"ended", 1.7e9 + 1.625},
                                    {"host", "node1"},
                                    {"log", "logs/a b.txt"},
                                    {"attempts", 2},
                                    {"seed", 3},
                                    {"failures", Json::array()},
                                    {"model", listed.trials[0].at("model")}}));
  EXPECT_EQ(listed.trials[1].at("status"), "running");
  EXPECT_EQ(listed.trials[1].at("ended"), Json());
  EXPECT_NE(listed.trials[0].at("model"), listed.trials[1].at("model"));
  ASSERT_EQ(listed.runs.size(), 1u);
  EXPECT_EQ(listed.runs[0].at("seconds"), 0.5);
  EXPECT_EQ(listed.runs[0].at("ending"), "");
  store.write(std::vector{record(1)});
  EXPECT_EQ(list_trials(folder.path()).trials[1].at("status"), "succeeded");
}

TEST(TrialStore, LosesNothingWhenItsProcessIsKilled) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    TrialStore store = store_in(folder);
    store.write(std::vector{record(0)});
    store.write(std::vector{record(1), begun(2)});
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(list_trials(folder.path()).trials.size(), 3u);
  EXPECT_EQ(all(store_in(folder)), (std::vector{record(0), record(1), begun(2)}));
}

TEST(TrialStore, IsReadInAFolderThatIsReadOnly) {
  const TemporaryFolder folder;
  { store_in(folder).write(std::vector{record(0)}); }
  // Root may write everywhere, so this is somebody else for a moment.
  const bool is_root = ::geteuid() == 0;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_EQ(list_trials(folder.path()).trials.size(), 1u);
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST(TrialStore, NamesTheFileThatIsDamaged) {
  const TemporaryFolder folder;
  const std::filesystem::path path = store_path(folder.path());
  {
    TrialStore store = store_in(folder);
    for (int64_t id = 0; id < 200; ++id) {
      store.write(std::vector{record(id)});
    }
  }
  const std::string whole = read_file(path);
  const auto refused = [&](const std::string& bytes) {
    write_plainly(path, bytes);
    const std::string by_writer = error_of([&] { all(store_in(folder)); });
    EXPECT_EQ(by_writer.find('\n'), std::string::npos);
    EXPECT_EQ(error_of([&] { list_trials(folder.path()); }), by_writer);
    return by_writer;
  };
  const std::string damaged = path.string() + ": is damaged: ";
  EXPECT_THAT(refused("{\"format\": \"retia.trials\"}\n"), StartsWith(damaged));
  for (const size_t size : {size_t{50}, size_t{1000}, size_t{5000}, whole.size() / 2}) {
    EXPECT_THAT(refused(whole.substr(0, size)), StartsWith(damaged)) << size;
  }
  std::string zeroed = whole;
  std::fill(zeroed.begin() + 12288, zeroed.begin() + 24576, '\0');
  EXPECT_THAT(refused(zeroed), StartsWith(damaged));
}

TEST(TrialStore, OpensOneThatStatesNoDirections) {
  const TemporaryFolder folder;
  const std::vector<Objective> score = {{"score"}};
  { TrialStore(store_path(folder.path()), kMutables, "mine", score); }
  Database(store_path(folder.path()), DatabaseAccess::Write)
      .execute(R"(UPDATE meta SET value = '[{"name": "score"}]' WHERE key = 'objectives')");
  EXPECT_EQ(list_trials(folder.path()).objectives.at(0).direction, Direction::Maximise);
  EXPECT_NO_THROW(TrialStore(store_path(folder.path()), kMutables, "mine", score));
  EXPECT_THAT(
      error_of([&] {
        TrialStore(store_path(folder.path()), kMutables, "mine", {{"score", Direction::Minimise}});
      }),
      HasSubstr("the trials have the objectives"));
}

TEST(TrialStore, RefusesWhatIsNotItsOwn) {
  const TemporaryFolder folder;
  const std::filesystem::path path = store_path(folder.path());
  EXPECT_EQ(error_of([&] { list_trials(folder.path()); }),
            path.string() + ": cannot be read: give the folder of a `retia explore --out`");
  { Database(path, DatabaseAccess::Write); }
  EXPECT_EQ(error_of([&] { list_trials(folder.path()); }), path.string() + " holds no trials yet");
  { store_in(folder).write(std::vector{record(0)}); }
  const auto execute = [&](const char* sql) { Database(path, DatabaseAccess::Write).execute(sql); };
  EXPECT_EQ(error_of([&] { store_in(folder, "other"); }),
            path.string() + ": the trials are of space \"mine\", expected \"other\"");
  EXPECT_EQ(error_of([&] { TrialStore(path, {kMutables[0]}, "mine", kObjectives); }),
            path.string() +
                ": the trials are of space \"mine\" with other choices than it has "
                "now: give another --out");
  EXPECT_THAT(error_of([&] { TrialStore(path, kMutables, "mine", {{"accuracy"}}); }),
              HasSubstr("the trials have the objectives [{\"direction\":\"maximise\",\"name\":"
                        "\"accuracy\"},{\"direction\":\"minimise\",\"name\":\"cost\"}], expected"));
  execute("UPDATE trials SET status = 'odd'");
  EXPECT_EQ(error_of([&] { list_trials(folder.path()); }),
            path.string() + ": trial 0: is damaged: unknown status \"odd\"");
  execute("UPDATE trials SET status = 'failed', choices = '{'");
  EXPECT_THAT(error_of([&] { all(store_in(folder)); }),
              StartsWith(path.string() + ": trial 0: is damaged: "));
  execute("UPDATE meta SET value = '2' WHERE key = 'version'");
  EXPECT_EQ(error_of([&] { store_in(folder); }),
            path.string() + ": is of version 2, but this program reads version 1");
  execute("DROP TABLE meta");
  EXPECT_EQ(
      error_of([&] { store_in(folder); }),
      path.string() + ": is no experiment: its table 'meta' says no format \"retia.experiment\"");
}

}  // namespace
}  // namespace retia
