#include "apps/bench_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "apps/program.h"
#include "engine/io/files.h"
#include "engine/io/process.h"
#include "engine/json.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

constexpr int kTrials = 5;

/// Least processor time of some trials.
template <class Work>
double seconds_of(const Work& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  double least = 1e9;
  for (int i = 0; i < kTrials; ++i) {
    const double started = now();
    work();
    least = std::min(least, now() - started);
  }
  return least;
}

struct Limit {
  double gigabytes = 0, gigaflops = 0;  ///< a second, of one thread
};

Limit measured_limit() {
  at::set_num_threads(1);
  constexpr int64_t kNumbers = 1 << 25, kSide = 1024;
  const at::Tensor from = at::randn({kNumbers}), to = at::empty({kNumbers});
  const at::Tensor a = at::randn({kSide, kSide}), b = at::randn({kSide, kSide});
  at::Tensor product;
  return {8e-9 * kNumbers / seconds_of([&] { to.copy_(from); }),
          2e-9 * kSide * kSide * kSide / seconds_of([&] { product = at::mm(a, b); })};
}

Json run_benchmark(const fs::path& program, const std::string& filter) {
  TORCH_CHECK(fs::exists(program), "bench kernels: expected the benchmark ", program.string(),
              " beside this program: build it, e.g. cmake --build build/release");
  const ProcessResult ended =
      run_process("exec '" + program.string() + "' --benchmark_format=json --benchmark_filter='" +
                  filter + "'");
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

}  // namespace

int bench_kernels(const std::vector<std::string>& words) {
  std::string filter, out;
  for (size_t i = 0; i < words.size(); i += 2) {
    TORCH_CHECK((words[i] == "--filter" || words[i] == "--out") && i + 1 < words.size(),
                "bench kernels: expected --filter REGEX or --out FILE, got '", words[i], "'");
    (words[i] == "--filter" ? filter : out) = words[i + 1];
  }
  TORCH_CHECK(filter.find('\'') == std::string::npos, "bench kernels: a filter has no quotes");
  const Limit limit = measured_limit();
  std::cout << "limit: a copy moves " << limit.gigabytes << " GB/s, a matrix product makes "
            << limit.gigaflops << " GFLOP/s\n"
            << "operation                        ms    GB/s  GFLOP/s  % limit    ATen  "
               "ATen last\n";
  Json rows = Json::array();
  for (const char* const name : {"conv_norm_bench", "mixed_op_bench"}) {
    for (const Json& found :
         run_benchmark(fs::read_symlink("/proc/self/exe").parent_path() / name, filter)) {
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
  TORCH_CHECK(!rows.empty(), "bench kernels: no benchmark is called like '", filter, "'");
  if (!out.empty()) {
    write_atomically(out, Json{{"format", "retia.bench.kernels"},
                               {"version", 1},
                               {"copy_gigabytes_a_second", limit.gigabytes},
                               {"product_gigaflops", limit.gigaflops},
                               {"kernels", rows}}
                                  .dump(2) +
                              "\n");
  }
  return kDone;
}

}  // namespace retia
