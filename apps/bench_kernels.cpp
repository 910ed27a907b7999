#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "retia/apps/commands.h"
#include "retia/engine/base/device.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/base/stopwatch.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/process.h"

namespace retia {
namespace {

struct KernelsBench {
  std::string filter, out;
  std::string device = "cpu", precision = "fp32";
  int64_t threads = 1;
};
std::vector<Option> declared(KernelsBench& o) {
  return {
      option("filter", o.filter, "regular expression that the names of cases must match"),
      option("out", o.out, "JSON file to write"),
      option("device", o.device, Names{{"cpu", "cuda"}}, "CPU or GPU"),
      option("precision", o.precision, Names{{"fp32", "fp64", "bf16", "fp16"}}, "precision"),
      option("threads", o.threads, Range{1, 4096}, "threads of the CPU"),
  };
}

namespace fs = std::filesystem;

constexpr int kTrials = 5;

/// A second, of the threads of the CPU or of the whole GPU.
struct Limit {
  double gigabytes = 0, gigaflops = 0;
};

Limit measured_limit(at::Device device, at::ScalarType dtype, int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  Stopwatch watch(device);
  const auto least = [&](const std::function<void()>& work) {
    double seconds = watch.seconds_of(work);
    for (int i = 1; i < kTrials; ++i) {
      seconds = std::min(seconds, watch.seconds_of(work));
    }
    return seconds;
  };
  const int64_t n_bytes = device.is_cpu() ? 1 << 27 : int64_t{1} << 30;
  const int64_t side = device.is_cpu() ? 1024 : 8192;
  const at::TensorOptions options = at::TensorOptions(device).dtype(dtype);
  const at::Tensor from =
      at::ones({n_bytes / static_cast<int64_t>(at::elementSize(dtype))}, options);
  const at::Tensor to = at::empty_like(from);
  const at::Tensor a = at::randn({side, side}, options), b = at::randn({side, side}, options);
  at::Tensor product;
  const auto cubed = static_cast<double>(side * side * side);
  return {2e-9 * static_cast<double>(n_bytes) / least([&] { to.copy_(from); }),
          2e-9 * cubed / least([&] { product = at::mm(a, b); })};
}

Json run_benchmark(const fs::path& program, const KernelsBench& flags) {
  TORCH_CHECK(fs::exists(program), "bench kernels: expected the benchmark ", program.string(),
              " beside this program: build it, e.g. cmake --build build/release");
  const ProcessResult ended =
      run_process(c10::str("exec '", program.string(), "' --device=", flags.device,
                           " --precision=", flags.precision, " --threads=", flags.threads,
                           " --benchmark_format=json --benchmark_filter='", flags.filter, "'"));
  TORCH_CHECK(ended.ending == ProcessEnding::Exited && ended.code == 0, program.string(),
              " failed: ", ended.err);
  const size_t start = ended.out.find('{');
  return start == std::string::npos ? Json::array()
                                    : Json::parse(ended.out.substr(start)).at("benchmarks");
}

void print(const Json& row) {
  const auto number = [&](const char* key, int width, int digits) {
    std::cout << std::setw(width) << std::setprecision(digits) << row.at(key).get<double>();
  };
  std::cout << std::left << std::setw(26) << row.at("name").get<std::string>() << std::right
            << std::fixed;
  number("ms", 9, 2);
  number("GB/s", 8, 1);
  number("GFLOP/s", 9, 1);
  number("per_cent", 8, 0);
  number("ratio", 8, 1);
  number("ratio_to_channels_last", 11, 1);
  std::cout << std::endl;
}

void check_kernels_bench(const Program&, const KernelsBench& flags) {
  TORCH_CHECK(flags.filter.find('\'') == std::string::npos,
              "bench kernels: a filter has no quotes");
  TORCH_CHECK(!is_lower(dtype_of(flags.precision)) || flags.device == "cuda",
              "bench kernels: precision ", flags.precision,
              " is for --device cuda: on a CPU fused operations compute in fp32 or fp64");
}

/// Starts the benchmarks of the fused operations, which are installed beside this program. Prints,
/// for each case, the percentage of the bound (copy bandwidth or matrix-product throughput of the
/// same device, whichever is lower), and the ratio to ATen's operations.
int run_benchmarks(const Program&, const KernelsBench& flags) {
  const at::Device device = open_device(flags.device);
  const Limit limit = measured_limit(device, dtype_of(flags.precision), flags.threads);
  std::cout << "limit: a copy moves " << limit.gigabytes << " GB/s, a matrix product makes "
            << limit.gigaflops << " GFLOP/s\n"
            << "operation                        ms    GB/s  GFLOP/s  % limit    ATen  "
               "ATen last\n";
  Json rows = Json::array();
  std::vector<std::string> failures;
  for (const std::string kernel : {RETIA_KERNELS}) {
    for (const Json& found : run_benchmark(
             fs::read_symlink("/proc/self/exe").parent_path() / (kernel + "_bench"), flags)) {
      if (found.value("error_occurred", false)) {
        failures.push_back(c10::str(found.at("name").get<std::string>(), ": ",
                                    found.at("error_message").get<std::string>()));
        std::cerr << failures.back() << std::endl;
        continue;
      }
      const double bytes = found.at("GB/s"), flops = found.at("GFLOP/s");
      const std::string full = found.at("name");
      rows.push_back(
          {{"name", full.substr(0, full.find("/iterations"))},
           {"ms", found.at("real_time")},
           {"GB/s", bytes},
           {"GFLOP/s", flops},
           {"per_cent", 100 * std::max(bytes / limit.gigabytes, flops / limit.gigaflops)},
           {"ratio", found.at("speedup")},
           {"ratio_to_channels_last", found.at("speedup_to_channels_last")}});
      print(rows.back());
    }
  }
  TORCH_CHECK(!rows.empty() || !failures.empty(), "bench kernels: no benchmark is called like '",
              flags.filter, "'");
  if (!flags.out.empty()) {
    write_json(flags.out, {{"format", "retia.bench.kernels"},
                           {"version", 1},
                           {"machine", hardware_name(device)},
                           {"device", flags.device},
                           {"precision", flags.precision},
                           {"threads", flags.threads},
                           {"copy_gigabytes_a_second", limit.gigabytes},
                           {"product_gigaflops", limit.gigaflops},
                           {"kernels", rows}});
  }
  TORCH_CHECK(failures.empty(), "bench kernels: ", failures.size(),
              " failed, the first: ", failures.front());
  return kDone;
}

}  // namespace

Command commands::bench_kernels() {
  return make_command("bench kernels", "times the fused operations against this machine's limits",
                      run_benchmarks, {.check = check_kernels_bench});
}

}  // namespace retia
