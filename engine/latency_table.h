#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/ir/operation.h"

namespace retia {

/// What latencies hold for.
struct LatencyConditions {
  std::string device = "cpu";      ///< cpu or cuda
  std::string hardware = "";       ///< the name of the processor
  std::string precision = "fp32";  ///< see dtype_of
  int64_t threads = 1;             ///< of one operation, on a CPU
  int64_t batch = 1;               ///< samples of a forward pass

  friend bool operator==(const LatencyConditions&, const LatencyConditions&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LatencyConditions, device, hardware, precision,
                                                threads, batch)

/// Those of this process for models on that device that compute in that dtype (see precision.h).
LatencyConditions conditions_here(at::Device device, at::ScalarType dtype, int64_t batch);

/// "cpu (Intel Xeon), fp32, 2 threads, batch 1"
std::string to_string(const LatencyConditions& conditions);

struct Latency {
  double milliseconds = 0;    ///< the median of a forward pass of the whole batch
  int64_t repeats = 0;        ///< of which it is the median
  std::string measured = {};  ///< when, in UTC: 2026-11-24T19:00:00Z
};

/// Latencies of primitives by type, parameters and shapes of the inputs, so that the latency of a
/// frozen model is the sum over its nodes. A file of it is JSON, `"format": "retia.latency"`.
class LatencyTable {
 public:
  explicit LatencyTable(LatencyConditions conditions) : conditions_(std::move(conditions)) {}

  /// Throws one line that names the file where it is missing, of another format or damaged.
  static LatencyTable read(const std::filesystem::path& path);
  /// Atomically.
  void write(const std::filesystem::path& path) const;

  const LatencyConditions& conditions() const { return conditions_; }
  size_t size() const { return entries_.size(); }

  /// Adds or replaces. operation and inputs: without choices.
  void set(const ir::Operation& operation, const std::vector<Shape>& inputs, Latency latency);

  /// None: it was not measured.
  std::optional<Latency> find(const ir::Operation& operation,
                              const std::vector<Shape>& inputs) const;

 private:
  struct Entry {
    Json operation;  // type, parameters, inputs
    Latency latency;
  };
  LatencyConditions conditions_;
  std::map<std::string, Entry> entries_;  // by their operation as text
};

struct LatencyMeterOptions {
  int64_t batch = 1;
  int64_t warmup = 10;   ///< forward passes before those that are timed, ≥ 0
  int64_t repeats = 50;  ///< timed forward passes, ≥ 1
};

/// The median time of calls of `pass`, each timed alone until its results are there; on a GPU with
/// the launch of its kernels.
Latency measure_latency(const std::function<void()>& pass, at::Device device,
                        const LatencyMeterOptions& options);

/// Of forward passes of a primitive without choices, in evaluation mode, on random inputs.
Latency measure_latency(const ir::Operation& operation, const std::vector<Shape>& inputs,
                        at::Device device, at::ScalarType dtype,
                        const LatencyMeterOptions& options);

}  // namespace retia
