#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/operations/operation.h"

namespace retia {

/// The circumstances under which latencies were measured.
struct LatencyConditions {
  std::string device = "cpu";      ///< cpu or cuda
  std::string hardware = "";       ///< name of the processor
  std::string precision = "fp32";  ///< see dtype_of
  int64_t threads = 1;             ///< number of threads of one operation, on a CPU
  int64_t batch = 1;               ///< number of samples in a forward pass

  friend bool operator==(const LatencyConditions&, const LatencyConditions&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LatencyConditions, device, hardware, precision,
                                                threads, batch)

/// Returns the conditions of this process for models on `device` that compute in `dtype` (see
/// precision.h).
LatencyConditions conditions_here(at::Device device, at::ScalarType dtype, int64_t batch);

/// Returns a text for messages: "cpu (Intel Xeon), fp32, 2 threads, batch 1".
std::string to_string(const LatencyConditions& conditions);

/// One measured latency.
struct Latency {
  double milliseconds = 0;    ///< median time of a forward pass of the whole batch
  int64_t repeats = 0;        ///< number of timed passes behind the median
  std::string measured = {};  ///< time of measurement, UTC: 2026-11-24T19:00:00Z
};

/// Latencies of primitives, by type, parameters and input shapes. The latency of a frozen model is
/// estimated as the sum over its nodes. Its file is JSON, `"format": "retia.latency"`.
class LatencyTable {
 public:
  /// Makes an empty table for latencies measured under `conditions`.
  explicit LatencyTable(LatencyConditions conditions) : conditions_(std::move(conditions)) {}

  /// Reads a table from a file. Throws one line that names the file where it is missing, damaged or
  /// of another format.
  static LatencyTable read(const std::filesystem::path& path);
  /// Writes the table to a file, atomically.
  void write(const std::filesystem::path& path) const;

  /// Returns the conditions under which all latencies of the table were measured.
  const LatencyConditions& conditions() const { return conditions_; }
  /// Returns the number of measured primitives, each with its parameters and input shapes.
  size_t size() const { return entries_.size(); }

  /// Adds or replaces the latency of `operation` on `inputs`; both without choices.
  void set(const ir::Operation& operation, const std::vector<Shape>& inputs, Latency latency);

  /// Returns the latency of `operation` on `inputs`; none where it was not measured.
  std::optional<Latency> find(const ir::Operation& operation,
                              const std::vector<Shape>& inputs) const;

 private:
  struct Entry {
    Json operation;  // type, parameters, inputs
    Latency latency;
  };
  LatencyConditions conditions_;
  std::map<std::string, Entry> entries_;  // key: Entry::operation as text
};

/// The extent of one measurement.
struct LatencyMeterOptions {
  int64_t batch = 1;     ///< samples in a forward pass, ≥ 1
  int64_t warmup = 10;   ///< untimed forward passes before the timed ones, ≥ 0
  int64_t repeats = 50;  ///< timed forward passes, ≥ 1
};

/// Returns the median time of calls of `pass`. Each call is timed alone, until its results are
/// ready; on a GPU this includes launching its kernels.
Latency measure_latency(const std::function<void()>& pass, at::Device device,
                        const LatencyMeterOptions& options);

/// Returns the median time of a forward pass of the primitive `operation`, in evaluation mode, on
/// random inputs. The operation has no choices.
Latency measure_latency(const ir::Operation& operation, const std::vector<Shape>& inputs,
                        at::Device device, at::ScalarType dtype,
                        const LatencyMeterOptions& options);

}  // namespace retia
