#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace retia {

/// Rows of numbers from 0 to 1, drawn as squares from white to blue.
struct HeatMap {
  std::vector<std::vector<double>> rows;  ///< short ones are filled up with grey
};

/// What TensorBoard shows of one step, by tag.
struct Events {
  int64_t step = 0;
  std::map<std::string, double> scalars = {};
  std::map<std::string, std::vector<double>> histograms = {};
  std::map<std::string, HeatMap> heat_maps = {};
};

/// Appends to a TensorBoard event file: records of a length, its masked CRC-32C, a protobuf message
/// and that one's, each handed to the system as a whole. One thread.
class EventFile {
 public:
  /// Opens `path`, whose name must hold "tfevents" for TensorBoard to find it, or makes it.
  explicit EventFile(std::filesystem::path path);
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  ~EventFile();

  /// Throws one line that names the file where it cannot be written; it then is as before.
  void write(const Events& events);

  /// Bytes written so far, all of them on the disk when this returns: what a checkpoint stores.
  int64_t position();
  /// Cuts the file back to a stored position. Throws when it is shorter.
  void rewind(int64_t position);

 private:
  void begin();
  void append(const std::string& message);

  std::filesystem::path path_;
  int file_;
};

}  // namespace retia
