#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace retia {

/// Appends to metrics.jsonl, one JSON object per line. Each line is written by one system call, so
/// a killed process leaves whole lines. Numbers are printed so that they read back equal. For use
/// by one thread.
class MetricsWriter {
 public:
  /// Opens `path` for appending; creates it where it is missing.
  explicit MetricsWriter(std::filesystem::path path);
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;
  ~MetricsWriter();

  /// Appends one line. Throws, leaving the file as it was, when `values` is not an object or
  /// contains NaN or infinity, or when the disk is full.
  void write(const nlohmann::json& values);

  /// Returns the size of the file in bytes, after syncing it to disk; a checkpoint stores this
  /// number.
  int64_t position();

  /// Truncates the file to a stored position, so that the file of a resumed run equals that of an
  /// uninterrupted one. Throws when the file is shorter or no line ends there.
  void rewind(int64_t position);

  /// Copies the file, also where it was removed since it was opened.
  void copy_to(const std::filesystem::path& path) const;

 private:
  int64_t size() const;

  std::filesystem::path path_;
  int file_;
};

}  // namespace retia
