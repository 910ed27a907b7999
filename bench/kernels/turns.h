#pragma once

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "retia/engine/base/device.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/base/stopwatch.h"

namespace retia::kernels {

/// The device of a benchmark, the dtype of its tensors, and the number of the CPU's threads.
struct BenchSetting {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  int threads = 1;
};

/// Takes --device=…, --precision=… and --threads=… out of a program's words.
inline BenchSetting take_setting(int& argc, char** argv) {
  BenchSetting setting;
  const auto is_taken = [&](const std::string& word) {
    const std::string name = word.substr(0, word.find('=') + 1);
    if (name == "--device=") {
      setting.device = open_device(word.substr(name.size()));
    } else if (name == "--precision=") {
      setting.dtype = dtype_of(word.substr(name.size()));
    } else if (name == "--threads=") {
      setting.threads = std::max(1, std::atoi(word.c_str() + name.size()));
    } else {
      return false;
    }
    return true;
  };
  argc = static_cast<int>(std::remove_if(argv + 1, argv + argc, is_taken) - argv);
  argv[argc] = nullptr;
  return setting;
}

/// Times the fused operation, and the reference in both layouts, in turns. Sets the counters
/// `speedup` and `speedup_to_channels_last`, ratios of medians, and returns the median seconds of
/// the first.
inline double time_in_turns(benchmark::State& state, at::Device device,
                            const std::array<std::function<void()>, 3>& works) {
  Stopwatch watch(device);
  std::array<std::vector<double>, 3> seconds;
  std::for_each(works.begin(), works.end(), [](const auto& work) { work(); });
  for (auto _ : state) {
    for (size_t i = 0; i < works.size(); ++i) {
      seconds[i].push_back(watch.seconds_of(works[i]));
    }
    state.SetIterationTime(seconds[0].back());
  }
  const auto median = [](std::vector<double>& values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
  };
  const double ours = median(seconds[0]);
  state.counters["speedup"] = median(seconds[1]) / ours;
  state.counters["speedup_to_channels_last"] = median(seconds[2]) / ours;
  return ours;
}

/// The program of a benchmark: one of each case, called `<operation>/<case>`.
template <class Case>
int run_benchmarks(int argc, char** argv, const std::string& operation,
                   const std::vector<Case>& cases,
                   void (*bench)(benchmark::State&, const Case&, const BenchSetting&)) {
  BenchSetting setting;
  try {
    setting = take_setting(argc, argv);
  } catch (const c10::Error& error) {
    std::cerr << operation << "_bench: " << error.what_without_backtrace() << std::endl;
    return 1;
  }
  for (const Case& of : cases) {
    const auto guarded = [=](benchmark::State& state) {
      try {
        at::set_num_threads(setting.threads);
        bench(state, of, setting);
      } catch (const c10::Error& error) {
        state.SkipWithError(error.what_without_backtrace());
      }
    };
    benchmark::RegisterBenchmark((operation + "/" + of.name).c_str(), guarded)
        ->UseManualTime()
        ->Iterations(setting.device.is_cpu() ? 9 : 50)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace retia::kernels
