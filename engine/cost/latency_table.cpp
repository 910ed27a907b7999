#include "retia/engine/cost/latency_table.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <ctime>

#include "retia/engine/base/clock.h"
#include "retia/engine/base/device.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/base/stopwatch.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/ir/graph.h"
#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

constexpr const char* kTableFormat = "retia.latency";
constexpr int64_t kTableVersion = 1;

/// Returns the key of a latency: type, parameters and shapes of the inputs.
Json key_of(const ir::Operation& operation, const std::vector<Shape>& inputs) {
  std::vector<std::vector<int64_t>> sizes;
  for (const Shape& input : inputs) {
    sizes.push_back(decided(input));
  }
  return {
      {"operation", operation.type()}, {"parameters", operation.parameters()}, {"inputs", sizes}};
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

}  // namespace

LatencyConditions conditions_here(at::Device device, at::ScalarType dtype, int64_t batch) {
  return {.device = device.is_cuda() ? "cuda" : "cpu",
          .hardware = hardware_name(device),
          .precision = precision_of(dtype),
          .threads = at::get_num_threads(),
          .batch = batch};
}

std::string to_string(const LatencyConditions& c) {
  return c10::str(c.device, " (", c.hardware, "), ", c.precision, ", ", c.threads,
                  c.threads == 1 ? " thread" : " threads", ", batch ", c.batch);
}

LatencyTable LatencyTable::read(const std::filesystem::path& path) {
  const Json json = read_format(path, kTableFormat, kTableVersion);
  try {
    LatencyTable table(json.at("conditions").get<LatencyConditions>());
    for (const Json& entry : json.at("entries")) {
      Json operation;
      for (const char* key : {"operation", "parameters", "inputs"}) {
        operation[key] = entry.at(key);
      }
      const Latency latency{entry.at("milliseconds"), entry.at("repeats"), entry.at("measured")};
      TORCH_CHECK(latency.milliseconds >= 0, path.string(), ": a latency of ", latency.milliseconds,
                  " ms is below 0");
      table.entries_[operation.dump()] = {operation, latency};
    }
    return table;
  } catch (const Json::exception& error) {
    TORCH_CHECK(false, path.string(),
                " is no table of latencies as `retia profile` writes it: ", error.what());
  }
}

void LatencyTable::write(const std::filesystem::path& path) const {
  Json entries = Json::array();
  for (const auto& [key, entry] : entries_) {
    Json written = entry.operation;
    written["milliseconds"] = entry.latency.milliseconds;
    written["repeats"] = entry.latency.repeats;
    written["measured"] = entry.latency.measured;
    entries.push_back(std::move(written));
  }
  write_json(path, {{"format", kTableFormat},
                    {"version", kTableVersion},
                    {"conditions", conditions_},
                    {"entries", entries}});
}

void LatencyTable::set(const ir::Operation& operation, const std::vector<Shape>& inputs,
                       Latency latency) {
  const Json key = key_of(operation, inputs);
  entries_[key.dump()] = {key, std::move(latency)};
}

std::optional<Latency> LatencyTable::find(const ir::Operation& operation,
                                          const std::vector<Shape>& inputs) const {
  const auto found = entries_.find(key_of(operation, inputs).dump());
  return found == entries_.end() ? std::nullopt : std::optional(found->second.latency);
}

Latency measure_latency(const std::function<void()>& pass, at::Device device,
                        const LatencyMeterOptions& options) {
  TORCH_CHECK(options.warmup >= 0 && options.repeats >= 1,
              "profile: repeats must be at least 1, warmup at least 0, got ", options.repeats,
              " and ", options.warmup);
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < options.warmup + options.repeats; ++i) {
    finish_work(device);
    const double started = now();
    pass();
    finish_work(device);
    if (i >= options.warmup) {
      milliseconds.push_back(1e3 * (now() - started));
    }
  }
  return {median(std::move(milliseconds)), options.repeats, now_text()};
}

Latency measure_latency(const ir::Operation& operation, const std::vector<Shape>& inputs,
                        at::Device device, at::ScalarType dtype,
                        const LatencyMeterOptions& options) {
  TORCH_CHECK(options.batch >= 1, "profile: batch must be at least 1, got ", options.batch);
  const at::NoGradGuard no_grad;
  const std::shared_ptr<Layer> layer = operation.kind().make(operation.parameters(), inputs);
  layer->to(device, stored_in(dtype));
  layer->eval();
  std::vector<at::Tensor> tensors;
  for (const Shape& input : inputs) {
    std::vector<int64_t> sizes = decided(input);
    sizes.insert(sizes.begin(), options.batch);
    tensors.push_back(at::randn(sizes, at::TensorOptions(device).dtype(stored_in(dtype))));
  }
  const auto pass = [&] {
    const Autocast autocast(device.type(), dtype);
    layer->forward(tensors);
  };
  return measure_latency(pass, device, options);
}

}  // namespace retia
