#include "retia/engine/io/run_directory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

using nlohmann::json;

namespace retia {
namespace {

const json kConfig = {{"space", {{"name", "tiny"}, {"channels", 16}}},
                      {"run", {{"seed", 1}, {"threads", 2}}}};

TEST(RunDirectory, WritesItsConfig) {
  const TemporaryFolder folder;
  const auto path = folder / "runs/first";
  const RunDirectory directory = RunDirectory::create(path, kConfig);
  EXPECT_EQ(directory.state(), RunState::New);
  EXPECT_EQ(directory.path(), path);
  EXPECT_EQ(directory.file("architecture.json"), path / "architecture.json");
  EXPECT_EQ(directory.checkpoints(), path / "checkpoints");
  json expected = kConfig;
  expected["format"] = "retia.config";
  expected["version"] = 1;
  EXPECT_EQ(read_json(path / "config.json"), expected);
}

TEST(RunDirectory, RefusesAFolderThatHoldsAnotherRun) {
  const TemporaryFolder folder;
  RunDirectory::create(folder.path(), kConfig);
  EXPECT_EQ(error_of([&] { RunDirectory::create(folder.path(), kConfig); }),
            folder.path().string() +
                " already holds a run: give another --out, or continue it with --resume");
}

TEST(RunDirectory, RefusesAFolderWithOtherFilesAndLeavesItAlone) {
  const TemporaryFolder folder;
  write_atomically(folder / "thesis.tex", "");
  EXPECT_EQ(error_of([&] { RunDirectory::create(folder.path(), kConfig); }),
            folder.path().string() + " holds other files: give another --out, or an empty folder");
  EXPECT_EQ(
      error_of([&] { RunDirectory::resume(folder.path(), kConfig); }),
      folder.path().string() + " holds files but no run (no config.json): give another --out");
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST(RunDirectory, RefusesAFile) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  write_atomically(path, "");
  const std::string expected = path.string() + " is a file: give a folder as --out";
  EXPECT_EQ(error_of([&] { RunDirectory::create(path, kConfig); }), expected);
  EXPECT_EQ(error_of([&] { RunDirectory::resume(path, kConfig); }), expected);
  EXPECT_EQ(error_of([&] { RunDirectory::create(path / "b", kConfig); }),
            (path / "b").string() + ": cannot be made: Not a directory");
}

TEST(RunDirectory, LeavesNothingWhenItsConfigCannotBeWritten) {
  const TemporaryFolder folder;
  const json bad = {{"lr", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_EQ(error_of([&] { RunDirectory::create(folder / "a", bad); }),
            (folder / "a/config.json").string() + ": lr: expected finite numbers, but got nan");
  EXPECT_EQ(error_of([&] { RunDirectory::create(folder / "a", 3); }),
            (folder / "a").string() + ": expected an object as config, but got 3");
  EXPECT_EQ(folder.n_files(), 0u);
}

TEST(RunDirectory, StartsOnResumeOfAMissingOrEmptyFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(RunDirectory::resume(folder / "missing", kConfig).state(), RunState::New);
  EXPECT_EQ(RunDirectory::resume(folder / "missing", kConfig).state(), RunState::Unfinished);
  std::filesystem::create_directory(folder / "empty");
  EXPECT_EQ(RunDirectory::resume(folder / "empty", kConfig).state(), RunState::New);
}

TEST(RunDirectory, StartsWhereAProcessDiedBeforeItsRunBegan) {
  const TemporaryFolder folder;
  write_atomically(folder / "lock", "1");
  write_atomically(folder / "config.json.tmp.tmp", "");
  std::filesystem::rename(folder / "config.json.tmp.tmp", folder / "config.json.tmp");
  EXPECT_EQ(RunDirectory::create(folder.path(), kConfig).state(), RunState::New);
}

TEST(RunDirectory, KnowsAFinishedRun) {
  const TemporaryFolder folder;
  {
    RunDirectory directory = RunDirectory::create(folder.path(), kConfig);
    directory.mark_finished();
    EXPECT_EQ(directory.state(), RunState::Finished);
  }
  EXPECT_EQ(RunDirectory::resume(folder.path(), kConfig).state(), RunState::Finished);
}

TEST(RunDirectory, NamesTheFirstOptionThatDiffers) {
  const TemporaryFolder folder;
  RunDirectory::create(folder.path(), kConfig);
  const auto error = [&](const json& patch) {
    json config = kConfig;
    config.merge_patch(patch);
    return error_of([&] { RunDirectory::resume(folder.path(), config); });
  };
  const auto expected = [&](const std::string& difference) {
    return folder.path().string() + " holds a run with other options: " + difference +
           ": give the same, or another --out";
  };
  EXPECT_EQ(error({{"space", {{"channels", 8}}}, {"zoo", 1}}),
            expected("space.channels was 16 and is 8 now"));
  EXPECT_EQ(error({{"space", {{"layers", 8}}}}),
            expected("space.layers was not given and is 8 now"));
  EXPECT_EQ(error({{"space", {{"channels", nullptr}}}}),
            expected("space.channels was 16 and is not given now"));
  EXPECT_EQ(error({{"space", "tiny"}}),
            expected(R"(space was {"channels":16,"name":"tiny"} and is "tiny" now)"));
  EXPECT_EQ(
      error({{"run", {{"threads", 8}, {"resume", true}, {"quiet", true}, {"device", "cuda"}}}}),
      "(no error)");
  EXPECT_EQ(error({{"run", {{"max_trials", 9}, {"max_duration", 1.5}}}}), "(no error)");
  EXPECT_EQ(read_json(folder / "config.json")["run"]["threads"], 2);
}

TEST(RunDirectory, RefusesAConfigOfAnotherVersion) {
  const TemporaryFolder folder;
  write_json(folder / "config.json", {{"format", "retia.config"}, {"version", 2}});
  EXPECT_EQ(error_of([&] { RunDirectory::resume(folder.path(), kConfig); }),
            (folder / "config.json").string() +
                ": expected format retia.config version 1, found version 2: use a newer Retia");
}

TEST(RunDirectory, NamesTheProcessThatRunsThere) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const RunDirectory directory = RunDirectory::create(folder.path(), kConfig);
    [[maybe_unused]] const ssize_t n = write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(error_of([&] { RunDirectory::resume(folder.path(), kConfig); }),
            "another process is running in " + folder.path().string() + " (pid " +
                std::to_string(child) + "): wait for it, or give another --out");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(RunDirectory::resume(folder.path(), kConfig).state(), RunState::Unfinished);
}

TEST(RunDirectory, KeepsCommandsFromOtherUsers) {
  using std::filesystem::perms;
  const TemporaryFolder folder;
  json config = kConfig;
  const auto readers = [&](const std::string& name) {
    RunDirectory::create(folder / name, config);
    return std::filesystem::status(folder / name / "config.json").permissions() &
           (perms::group_read | perms::others_read);
  };
  config["command"] = "explore";
  config["evaluator"] = {{"name", "command"}, {"command", ""}};
  EXPECT_NE(readers("none"), perms::none);
  config["evaluator"]["command"] = "TOKEN=secret score";
  EXPECT_EQ(readers("command"), perms::none);
  config["evaluator"] = {{"name", "searched"}, {"of", {{"options", {{"command", "score"}}}}}};
  EXPECT_EQ(readers("inner"), perms::none);
}

TEST(RunDirectory, IsCreatedAgainWhereItWasRemoved) {
  const TemporaryFolder folder;
  const auto path = folder / "run";
  RunDirectory directory = RunDirectory::create(path, kConfig);
  const json config = read_json(path / "config.json");
  directory.keep([](const auto& into) { write_plainly(into / "kept", "split"); });
  directory.write("run.json", config);
  EXPECT_FALSE(directory.was_removed());
  for (const bool half : {false, true}) {
    std::filesystem::remove_all(path);
    if (half) {
      std::filesystem::create_directories(path / "checkpoints");  // by a write that came later
    }
    EXPECT_TRUE(directory.was_removed());
    EXPECT_NE(error_of([&] { directory.mark_finished(); }), "(no error)");
    EXPECT_FALSE(std::filesystem::exists(path / "finished.json"));
    directory.create_again();
    EXPECT_EQ(read_file(path / "kept"), "split");
    EXPECT_EQ(read_json(path / "run.json"), config);
    EXPECT_FALSE(directory.was_removed());
    EXPECT_EQ(read_json(path / "config.json"), config);
    EXPECT_TRUE(RunDirectory::is_in_use(path));
  }
}

TEST(RunDirectory, SaysWhereItWasMovedAndThatItWasReplaced) {
  const TemporaryFolder folder;
  const auto path = folder / "run";
  const RunDirectory directory = RunDirectory::create(path, kConfig);
  std::filesystem::rename(path, folder / "moved");
  const std::string moved = std::filesystem::canonical(folder / "moved");
  EXPECT_EQ(error_of([&] { directory.was_removed(); }),
            path.string() + " was moved to " + moved +
                " while the run was working: continue it there, with --out " + moved + " --resume");
  const RunDirectory other = RunDirectory::create(path, kConfig);
  EXPECT_NE(error_of([&] { directory.was_removed(); }), "(no error)");
  std::filesystem::remove_all(folder / "moved");
  EXPECT_EQ(error_of([&] { directory.was_removed(); }),
            path.string() +
                " was replaced by another run while this one was working: give another --out");
}

TEST(RunDirectory, MovesItsLock) {
  const TemporaryFolder folder;
  RunDirectory first = RunDirectory::create(folder.path(), kConfig);
  {
    const RunDirectory second = std::move(first);
    EXPECT_NE(error_of([&] { RunDirectory::resume(folder.path(), kConfig); }), "(no error)");
  }
  EXPECT_EQ(RunDirectory::resume(folder.path(), kConfig).state(), RunState::Unfinished);
}

}  // namespace
}  // namespace retia
