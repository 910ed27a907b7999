#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace retia {

/// A heat map: rows of numbers in [0, 1], drawn as squares from white to blue.
struct HeatMap {
  std::vector<std::vector<double>> rows;  ///< short rows are filled up with grey
};

/// The events of one step for TensorBoard, by tag.
struct Events {
  int64_t step = 0;
  std::map<std::string, double> scalars = {};
  std::map<std::string, std::vector<double>> histograms = {};
  std::map<std::string, HeatMap> heat_maps = {};
};

/// Appends events to a TensorBoard event file. A record is a length with its masked CRC-32C, and a
/// protobuf message with its masked CRC-32C, written by one system call. For use by one thread.
class EventFile {
 public:
  /// Opens `path`, or creates it. The name must contain "tfevents" for TensorBoard to find the
  /// file.
  explicit EventFile(std::filesystem::path path);
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  ~EventFile();

  /// Writes one record. Throws one line that names the file where writing fails; the file then
  /// stays as it was.
  void write(const Events& events);

  /// Returns the size of the file in bytes, after syncing it to disk; a checkpoint stores this
  /// number.
  int64_t position();
  /// Truncates the file to a stored position. Throws when the file is shorter.
  void rewind(int64_t position);

  /// Copies the file, also where it was removed since it was opened.
  void copy_to(const std::filesystem::path& path) const;

 private:
  void begin();
  void append(const std::string& message);

  std::filesystem::path path_;
  int file_;
};

}  // namespace retia
