#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "retia/apps/commands.h"
#include "retia/engine/base/clock.h"
#include "retia/engine/base/device.h"
#include "retia/engine/base/precision.h"
#include "retia/engine/base/stopwatch.h"
#include "retia/trainers/data/synthetic.h"

namespace retia {
namespace {

/// The options of `retia bench search-step`, the same as of the plain PyTorch programs that
/// bench/search_step.py compares it with.
struct StepBench {
  std::string space = "darts_cnn", algorithm = "darts", executor = "fused", device = "cpu",
              precision = "fp32";
  int64_t channels = 16, layers = 8, nodes = 4, batch = 64, image = 32, in_channels = 3;
  int64_t classes = 10, steps = 10, warmup = 2, threads = 2, seed = 0, order = 1;
};
std::vector<Option> declared(StepBench& o) {
  const Range size{1, 1e6};
  return {
      option("space", o.space, Names{.table = "space"}, "model space"),
      option("algorithm", o.algorithm, Names{.table = "algorithm"}, "one-shot algorithm"),
      option("executor", o.executor, Names{{"reference", "fused"}}, "executor of graphs"),
      option("device", o.device, Names{{"cpu", "cuda"}}, "device"),
      option("precision", o.precision, Names{{"fp32", "fp64", "bf16", "fp16"}}, "precision"),
      option("channels", o.channels, size, "channels of the space"),
      option("layers", o.layers, size, "layers of the space"),
      option("nodes", o.nodes, size, "nodes of a cell of the space"),
      option("batch", o.batch, size, "samples of a step"),
      option("image", o.image, size, "height and width of an image, in pixels"),
      option("in_channels", o.in_channels, size, "channels of an image"),
      option("classes", o.classes, size, "classes"),
      option("steps", o.steps, size, "steps that are timed"),
      option("warmup", o.warmup, Range{0, 1e6}, "steps before the timed ones"),
      option("threads", o.threads, Range{1, 4096}, "threads of one operation"),
      option("seed", o.seed, Range{0}, "seed of weights, images and search"),
      option("order", o.order, Range{1, 2}, "order of the gradients of darts"),
  };
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void check_step_bench(const Program&, const StepBench& flags) {
  TORCH_CHECK(flags.precision != "fp16" || flags.device == "cuda",
              "bench search-step: precision fp16 is for --device cuda, take bf16 on a CPU");
}

/// Returns the options that the space has, as given to the benchmark.
Json options_of_space(const Program& program, const StepBench& flags) {
  Json options = Json::object();
  for (const auto& [key, value] : program.spaces.search_options(flags.space).items()) {
    const Json all = flags;
    if (all.contains(key)) {
      options[key] = all.at(key);
    }
  }
  return options;
}

/// One batch of random images, so that an epoch of the weights is one step.
Batches batches(const StepBench& flags, uint64_t seed, at::Device device) {
  const DataSplits data = with_statistics(make_synthetic({.n_train = flags.batch,
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
          .search(flags.space, options_of_space(program, flags),
                  {{flags.in_channels, flags.image, flags.image}, flags.classes})
          .supernet();
  Network network(space, static_cast<uint64_t>(flags.seed));
  network->to(device, stored_in(dtype_of(flags.precision)));
  network->set_precision(dtype_of(flags.precision));
  network->set_executor(executor_of(flags.executor));
  Json options = Json::object();
  if (flags.algorithm == "darts") {
    options["order"] = flags.order;
  } else if (flags.algorithm == "enas") {
    options = {{"controller_steps", 1}, {"aggregate", 1}};
  }
  const SearchSetup setup{network, batches(flags, 1, device), batches(flags, 2, device)};
  const Search search =
      program.algorithms.make(flags.algorithm, options, setup, static_cast<uint64_t>(flags.seed));
  std::vector<double> seconds;
  double loss = 0;
  network->train();
  for (int64_t epoch = 0; epoch < flags.warmup + flags.steps; ++epoch) {
    finish_work(device);
    const double started = now();
    at::Tensor made = search.trainer->train_step(epoch, 0).loss;
    for (int64_t i = 1; i < search.trainer->steps_per_epoch(); ++i) {
      search.trainer->train_step(epoch, i);  // of the controller
    }
    finish_work(device);
    if (epoch >= flags.warmup) {
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

}  // namespace

Command commands::bench_search_step() {
  return make_command("bench search-step", "times a step of a one-shot search; one line of JSON",
                      search_step, {.check = check_step_bench});
}

}  // namespace retia
