#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "retia/apps/bench_flags.h"
#include "retia/apps/bench_kernels.h"
#include "retia/apps/program.h"
#include "retia/engine/clock.h"
#include "retia/engine/device.h"
#include "retia/engine/precision.h"
#include "retia/engine/stopwatch.h"
#include "retia/trainers/data/synthetic.h"

namespace retia {
namespace {

/// The flags of `retia bench search-step`; the same as of the plain PyTorch programs it is held
/// against.
struct StepBench {
  std::string space = "darts_cnn", algorithm = "darts", executor = "fused", device = "cpu",
              precision = "fp32";
  int64_t channels = 16, layers = 8, nodes = 4, batch = 64, image = 32, in_channels = 3;
  int64_t classes = 10, steps = 10, warmup = 2, threads = 2, seed = 0, order = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StepBench, space, algorithm, executor, device,
                                                precision, channels, layers, nodes, batch, image,
                                                in_channels, classes, steps, warmup, threads, seed,
                                                order)

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

StepBench read_step_bench(const Program& program, const std::vector<std::string>& words) {
  const auto flags = read_flags<StepBench>(words, "bench search-step");
  TORCH_CHECK(flags.steps >= 1 && flags.warmup >= 0 && flags.batch >= 1 && flags.threads >= 1,
              "bench search-step: steps, batch and threads must be at least 1");
  TORCH_CHECK(dtype_of(flags.precision) != at::kHalf || flags.device == "cuda",
              "bench search-step: precision fp16 is for --device cuda, take bf16 on a CPU");
  executor_of(flags.executor);
  program.spaces.search_options(flags.space);
  return flags;
}

/// The options of `given` that the space has.
Json space_options(const Program& program, const StepBench& flags) {
  Json options = Json::object();
  for (const auto& [key, value] : program.spaces.search_options(flags.space).items()) {
    const Json all = flags;
    if (all.contains(key)) {
      options[key] = all.at(key);
    }
  }
  return options;
}

/// A few fixed random batches, so that loading costs nothing.
Batches batches(const StepBench& flags, uint64_t seed, at::Device device) {
  const DataSplits data = with_statistics(make_synthetic({.n_train = 2 * flags.batch,
                                                          .n_test = 1,
                                                          .n_classes = flags.classes,
                                                          .channels = flags.in_channels,
                                                          .height = flags.image,
                                                          .width = flags.image,
                                                          .seed = seed}));
  return {data.train,
          {.batch_size = flags.batch,
           .seed = seed,
           .device = device,
           .dtype = stored_in(dtype_of(flags.precision))}};
}

Json summary(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const size_t n = seconds.size();
  return {{"min", seconds.front()},
          {"median", (seconds[(n - 1) / 2] + seconds[n / 2]) / 2},
          {"mean", std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(n)},
          {"max", seconds.back()},
          {"n", n}};
}

int64_t count(const torch::nn::Module& module) {
  int64_t numbers = 0;
  for (const at::Tensor& parameter : module.parameters()) {
    numbers += parameter.numel();
  }
  return numbers;
}

int search_step(const Program& program, const StepBench& flags) {
  const double idle_rss_mib = peak_rss_mib();
  at::set_num_threads(static_cast<int>(flags.threads));
  const at::Device device = open_device(flags.device);
  const ir::Graph space =
      program.spaces
          .search(flags.space, space_options(program, flags),
                  {{flags.in_channels, flags.image, flags.image}, flags.classes})
          .supernet();
  Network network(space, static_cast<uint64_t>(flags.seed));
  network->to(device, stored_in(dtype_of(flags.precision)));
  network->set_precision(dtype_of(flags.precision));
  network->set_executor(executor_of(flags.executor));
  Json options = Json::object();
  if (flags.algorithm == "darts") {
    options["order"] = flags.order;
  }
  const SearchSetup setup{network, batches(flags, 1, device), batches(flags, 2, device)};
  const Search search =
      program.algorithms.make(flags.algorithm, options, setup, static_cast<uint64_t>(flags.seed));
  std::vector<double> seconds;
  double loss = 0;
  network->train();
  for (int64_t i = 0; i < flags.warmup + flags.steps; ++i) {
    const Batch train = setup.train.batch(0, i % 2);
    const Batch valid = setup.valid.batch(0, i % 2);
    finish_work(device);
    const double started = now();
    const at::Tensor made = search.trainer->train_step(train, valid).loss;
    finish_work(device);
    if (i >= flags.warmup) {
      seconds.push_back(now() - started);
    }
    loss = made.item<double>();
  }
  const Json times = summary(seconds);
  Json line = {
      {"impl", "retia"},
      {"algo",
       flags.algorithm == "darts" ? "darts_order" + std::to_string(flags.order) : flags.algorithm},
      {"seconds_per_step", times},
      {"images_per_second", static_cast<double>(flags.batch) / times.at("median").get<double>()},
      {"rss_after_import_mib", idle_rss_mib},
      {"peak_rss_mib", peak_rss_mib()},
      {"params", count(*network)},
      {"arch_params", count(*search.mutator)},
      {"loss_last", loss},
      {"config", flags}};
  if (device.is_cuda()) {
    line["cuda_peak_mib"] = take_peak_memory(device);
    line["gpu"] = hardware_name(device);
  }
  std::cout << line.dump() << std::endl;
  return kDone;
}

/// Runs a benchmark whose flags are right: what fails from here on is no bad usage.
template <class Run>
int run_or_fail(const Run& run) {
  try {
    return run();
  } catch (const std::exception& error) {
    std::cerr << "retia: " << message_of(error) << std::endl;
    return kFailed;
  }
}

}  // namespace

int commands::bench(const Program& program, const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words.front();
  TORCH_CHECK(what == "search-step" || what == "kernels",
              "bench: expected `retia bench search-step [--option VALUE]…` or `retia bench kernels "
              "[--filter REGEX] [--out FILE] [--device NAME] [--precision NAME] [--threads N]`");
  const std::vector<std::string> rest = {words.begin() + 1, words.end()};
  if (what == "kernels") {
    const KernelsBench flags = read_kernels_bench(rest);
    return run_or_fail([&] { return bench_kernels(flags); });
  }
  const StepBench flags = read_step_bench(program, rest);
  return run_or_fail([&] { return search_step(program, flags); });
}

}  // namespace retia
