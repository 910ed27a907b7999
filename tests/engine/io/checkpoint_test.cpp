#include "retia/engine/io/checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

#include "retia/engine/io/files.h"
#include "retia/engine/io/safetensors.h"
#include "retia/tests/engine/io/temporary_folder.h"

using nlohmann::json;

namespace retia {
namespace {

using Steps = std::vector<int64_t>;

Checkpoint checkpoint_of(int64_t step) {
  return {.state = {{"step", step}, {"loss", 0.1 * static_cast<double>(step)}, {"name", "ä"}},
          .tensors = {{"weight", at::full({2, 3}, step, at::kFloat).t()},
                      {"generator", at::arange(16, at::kByte)}}};
}

int64_t step_of(const std::optional<Checkpoint>& checkpoint) {
  return checkpoint ? checkpoint->state.at("step").get<int64_t>() : -1;
}

struct Newest {
  int64_t step;
  std::vector<std::string> warnings;
};

Newest newest_of(const CheckpointStore& store) {
  Newest result;
  result.step =
      step_of(store.newest([&](const std::string& line) { result.warnings.push_back(line); }));
  return result;
}

TEST(Checkpoint, ReadsBackEqual) {
  const TemporaryFolder folder;
  const Checkpoint written = checkpoint_of(120);
  write_checkpoint(folder / "a", written);
  const Checkpoint read = read_checkpoint(folder / "a");
  EXPECT_EQ(read.state, written.state);
  ASSERT_EQ(read.tensors.size(), 2u);
  for (const auto& [name, tensor] : written.tensors) {
    EXPECT_TRUE(read.tensors.at(name).equal(tensor)) << name;
    EXPECT_EQ(read.tensors.at(name).scalar_type(), tensor.scalar_type());
  }
}

TEST(Checkpoint, IsDetectedWhenAnyByteIsDamaged) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  write_checkpoint(path, checkpoint_of(120));
  const std::string bytes = read_file(path);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write_plainly(path, damaged);
    const std::string error = error_of([&] { read_checkpoint(path); });
    // A blank that pads the header, or one that becomes a tab, carries nothing.
    if (bytes[i] != ' ') {
      EXPECT_EQ(error.rfind(path.string() + ": ", 0), 0u)
          << i << " '" << bytes[i] << "': " << error;
    }
  }
}

TEST(Checkpoint, OfAnotherVersionIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "step-000001.safetensors";
  write_safetensors(path, {{}, {{"format", "retia.checkpoint"}, {"version", "2"}}});
  const std::string expected =
      path.string() +
      ": expected format retia.checkpoint version 1, found version 2: use a newer Retia";
  EXPECT_EQ(error_of([&] { read_checkpoint(path); }), expected);
  EXPECT_EQ(error_of([&] { newest_of(CheckpointStore(folder.path())); }), expected);
  write_safetensors(path, {});
  EXPECT_EQ(error_of([&] { read_checkpoint(path); }),
            path.string() +
                ": expected format retia.checkpoint version 1, found no \"format\" and "
                "\"version\": give a file that Retia wrote");
}

TEST(Checkpoint, RefusesAStateThatJsonCannotHold) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  const auto error = [&](const json& state) {
    return error_of([&] { write_checkpoint(path, {.state = state, .tensors = {}}); });
  };
  EXPECT_EQ(error({{"best", std::numeric_limits<double>::infinity()}}),
            path.string() + ": best: expected finite numbers, but got inf");
  EXPECT_NE(error("\xff").find("the state cannot be written as JSON"), std::string::npos);
  EXPECT_EQ(error_of([&] {
              write_checkpoint(path, {{}, {{"w", {}}}});
            }),
            path.string() + ": tensor 'w' is undefined");
  EXPECT_EQ(folder.n_files(), 0u);
}

TEST(CheckpointStore, IsEmptyBeforeTheFirst) {
  const TemporaryFolder folder;
  const CheckpointStore store(folder / "checkpoints");
  EXPECT_EQ(store.steps(), Steps());
  EXPECT_EQ(newest_of(store).step, -1);
  EXPECT_FALSE(store.best().has_value());
}

TEST(CheckpointStore, KeepsTheLatest) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints");
  for (const int64_t step : {5, 999999, 1000000, 10000000}) {
    store.save(step, checkpoint_of(step));
  }
  EXPECT_EQ(store.steps(), Steps({1000000, 10000000}));
  EXPECT_EQ(store.path(7), folder / "checkpoints" / "step-000007.safetensors");
  const Newest newest = newest_of(store);
  EXPECT_EQ(newest.step, 10000000);
  EXPECT_TRUE(newest.warnings.empty());
}

TEST(CheckpointStore, KeepsTheBest) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path(), 1);
  store.save(1, checkpoint_of(1));
  store.mark_best(1);
  store.mark_best(1);
  store.save(2, checkpoint_of(2));
  store.save(3, checkpoint_of(3));
  EXPECT_EQ(step_of(store.best()), 1);
  EXPECT_EQ(store.steps(), Steps({3}));
  store.mark_best(3);
  store.save(3, checkpoint_of(4));
  EXPECT_EQ(step_of(store.best()), 3);
  EXPECT_EQ(newest_of(store).step, 4);
  EXPECT_EQ(folder.n_files(), 2u);
  EXPECT_EQ(error_of([&] { store.mark_best(9); }),
            store.path(9).string() + ": cannot be marked as the best: there is no such checkpoint");
}

TEST(CheckpointStore, RemovesLaterOnesOfARunThatFellBack) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  for (const int64_t step : {100, 120, 110}) {
    store.save(step, checkpoint_of(step));
  }
  EXPECT_EQ(store.steps(), Steps({100, 110}));
}

TEST(CheckpointStore, FallsBackFromANewestCutAtAnyByte) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  store.save(100, checkpoint_of(100));
  store.save(120, checkpoint_of(120));
  const std::string bytes = read_file(store.path(120));
  for (size_t n = 0; n < bytes.size(); ++n) {
    write_plainly(store.path(120), std::string_view(bytes).substr(0, n));
    const Newest newest = newest_of(store);
    ASSERT_EQ(newest.step, 100) << n;
    ASSERT_EQ(newest.warnings.size(), 1u) << n;
    ASSERT_EQ(newest.warnings[0].find('\n'), std::string::npos);
    ASSERT_EQ(newest.warnings[0].rfind(store.path(120).string() + ": ", 0), 0u);
    ASSERT_TRUE(newest.warnings[0].ends_with("; taking step-000100.safetensors instead"));
  }
}

TEST(CheckpointStore, FallsBackToTheBestLast) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path(), 1);
  store.save(1, checkpoint_of(1));
  store.mark_best(1);
  store.save(2, checkpoint_of(2));
  write_atomically(store.path(2), "");
  EXPECT_EQ(newest_of(store).step, 1);
}

TEST(CheckpointStore, ThrowsWhenAllAreDamaged) {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  store.save(1, checkpoint_of(1));
  store.save(2, checkpoint_of(2));
  write_atomically(store.path(1), "");
  write_atomically(store.path(2), "");
  EXPECT_EQ(error_of([&] { newest_of(store); }),
            folder.path().string() +
                ": none of its 2 checkpoints can be read: start again with another --out");
}

TEST(CheckpointStore, IgnoresFilesThatAreNone) {
  const TemporaryFolder folder;
  for (const char* name : {"step-.safetensors", "step-1x.safetensors", "step--1.safetensors",
                           "step-000009.safetensors.tmp", "notes.txt"}) {
    write_atomically(folder / name, "");
  }
  CheckpointStore store(folder.path());
  EXPECT_EQ(store.steps(), Steps());
  store.save(3, checkpoint_of(3));
  EXPECT_FALSE(std::filesystem::exists(folder / "step-000009.safetensors.tmp"));
  EXPECT_TRUE(std::filesystem::exists(folder / "notes.txt"));
}

TEST(CheckpointStore, RefusesWrongArguments) {
  const TemporaryFolder folder;
  const std::string where = folder.path().string();
  EXPECT_EQ(error_of([&] { CheckpointStore(folder.path(), 0); }),
            where + ": expected to keep at least 1 checkpoint, but got 0");
  EXPECT_EQ(error_of([&] { CheckpointStore(folder.path()).save(-1, {}); }),
            where + ": expected a step from 0, but got -1");
  write_atomically(folder / "file", "");
  EXPECT_EQ(error_of([&] { CheckpointStore(folder / "file").save(1, {}); }),
            (folder / "file").string() + ": cannot be made: Not a directory");
}

TEST(CheckpointStore, SurvivesAProcessKilledWhileSaving) {
  const TemporaryFolder folder;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const pid_t child = fork();
    if (child == 0) {
      CheckpointStore store(folder.path());
      for (int64_t step = newest_of(store).step + 1;; ++step) {
        store.save(step, checkpoint_of(step));
        store.mark_best(step);
      }
    }
    usleep(static_cast<useconds_t>(5000 + 1777 * attempt));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const CheckpointStore store(folder.path());
    const Newest newest = newest_of(store);
    EXPECT_TRUE(newest.warnings.empty());
    EXPECT_TRUE(store.steps().empty() || newest.step == store.steps().back());
    EXPECT_LE(step_of(store.best()), newest.step);
  }
  EXPECT_GT(newest_of(CheckpointStore(folder.path())).step, 0);
}

}  // namespace
}  // namespace retia
