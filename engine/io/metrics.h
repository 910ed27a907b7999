#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace retia {

/// Appends to metrics.jsonl: one JSON object a line, handed to the system line by line, so that a
/// process killed at any moment leaves whole lines. Numbers are printed to read back equal. One
/// thread.
class MetricsWriter {
 public:
  /// Opens `path` for appending, and makes it where it is missing.
  explicit MetricsWriter(std::filesystem::path path);
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;
  ~MetricsWriter();

  /// Appends one line. Throws, leaving the file as it was, when `values` is no object or holds NaN
  /// or infinity, or when the disk is full.
  void write(const nlohmann::json& values);

  /// Bytes written so far, all of them on the disk when this returns: what a checkpoint stores.
  int64_t position();

  /// Cuts the file back to a stored position, so that a resumed run's file becomes that of an
  /// uninterrupted one. Throws when the file is shorter or no line ends there.
  void rewind(int64_t position);

 private:
  int64_t size() const;

  std::filesystem::path path_;
  int file_;
};

}  // namespace retia
