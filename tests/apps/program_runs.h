#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "retia/apps/program.h"
#include "retia/engine/io/checkpoint.h"
#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {

inline Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// What a command ended with and printed.
struct Ended {
  int code = -1;
  std::string out, err;
};

/// Runs a command in this process.
inline Ended run_program(Words words, const Program& program = Program()) {
  words.insert(words.begin(), "retia");
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = program.run(static_cast<int>(argv.size()), argv.data());
  std::string out = testing::internal::GetCapturedStdout();
  return {code, std::move(out), testing::internal::GetCapturedStderr()};
}

/// 64 images of ten classes to train on, 32 to test.
inline Words little_data() {
  return {"--data", "synthetic",
          "--set",  "data.synthetic.n_train=64",
          "--set",  "data.synthetic.n_test=32"};
}

/// A command in the space `tiny` that takes a fraction of a second.
inline Words little(const std::string& command, const Words& more) {
  const Words settings = {command, "--space", "tiny", "--batch-size", "8", "--threads", "1"};
  return joined(joined(settings, little_data()), more);
}

/// The lines of metrics.jsonl, without what depends on the machine's speed.
inline std::vector<Json> metrics_of(const std::filesystem::path& run) {
  std::vector<Json> metrics;
  std::istringstream lines(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    metrics.push_back(Json::parse(line));
    metrics.back().erase("seconds");
    metrics.back().erase("images_per_second");
    metrics.back().erase("peak_memory");
  }
  return metrics;
}

inline Checkpoint newest_checkpoint(const std::filesystem::path& run) {
  const auto saved = CheckpointStore(run / "checkpoints").newest([](const std::string& warning) {
    ADD_FAILURE() << warning;
  });
  return saved.value();
}

/// Expects what two runs wrote to be the same, bit for bit.
inline void expect_equal_runs(const std::filesystem::path& a, const std::filesystem::path& b) {
  EXPECT_EQ(metrics_of(a), metrics_of(b));
  EXPECT_EQ(read_json(a / "architecture.json"), read_json(b / "architecture.json"));
  const Checkpoint first = newest_checkpoint(a), second = newest_checkpoint(b);
  ASSERT_EQ(first.tensors.size(), second.tensors.size());
  for (const auto& [name, tensor] : first.tensors) {
    ASSERT_TRUE(second.tensors.contains(name)) << name;
    EXPECT_TRUE(tensor.equal(second.tensors.at(name))) << name;
  }
}

}  // namespace retia
