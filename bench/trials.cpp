// Trials a minute, and memory, of experiments whose evaluator does nothing, the store on disk.
//
//   trials_bench OUT [RUNNER = inline] [TRIALS = 100000] [CONCURRENCY = 2]
//
// Adds what it measures to OUT/trials.json, under the runner's name. The store is made, and
// removed, in a folder in OUT.

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>
#include <thread>

#include "retia/apps/program.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"

namespace {

using namespace retia;

struct NoOptions {
  int64_t unused = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NoOptions, unused)

class NothingEvaluator final : public Evaluator {
 public:
  bool reads_model() const override { return false; }
  Evaluation evaluate(const Trial& trial) override {
    return {.objectives = {static_cast<double>(trial.proposal.id % 1000)}};
  }
  Json to_json() const override { return {{"name", "nothing"}, {"options", NoOptions()}}; }
};

std::unique_ptr<Evaluator> make_nothing(const NoOptions&, const EvaluatorContext&) {
  return std::make_unique<NothingEvaluator>();
}

/// 4^12 architectures.
ir::Graph space() {
  Builder net("choices");
  Wire x = net.input("x", {4, 8, 8});
  for (int i = 0; i < 12; ++i) {
    x = net.layer_choice("layer" + std::to_string(i),
                         {{"relu", ops::relu()},
                          {"max_pool", ops::max_pool2d()},
                          {"avg_pool", ops::avg_pool2d()},
                          {"skip", ops::identity()}},
                         {x});
  }
  net.output("y", x);
  return net.finish();
}

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// "Intel(R) Xeon(R) Processor, 2 cores"
std::string machine() {
  std::ifstream file("/proc/cpuinfo");
  std::string name = "unknown processor";
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) {
      name = line.substr(line.find(": ") + 2);
      break;
    }
  }
  return name + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores";
}

/// Weighs the process after a fifth of the trials.
class Scales final : public ExperimentObserver {
 public:
  explicit Scales(int64_t n_trials) : n_trials_(n_trials) {}
  void on_end(const Trial&) override {
    if (++n_ended_ == n_trials_ / 5) {
      at_a_fifth = resident_mib();
    }
  }
  double at_a_fifth = 0;

 private:
  int64_t n_trials_, n_ended_ = 0;
};

Json measure(const Program& program, const std::string& runner_name, int64_t n_trials,
             int64_t concurrency, const std::filesystem::path& folder) {
  Config config;
  config.space = "choices";
  config.runner = runner_name;
  config.runner_options = program.runners.defaults(runner_name);
  config.run.threads = 1;
  config.experiment.concurrency = concurrency;
  config.experiment.max_trials = n_trials;
  NothingEvaluator evaluator;
  const ir::Space choices = space();
  const auto strategy = program.strategies.make("random", Json::object(), choices, 1);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  Json result;
  {
    Scales scales(n_trials);
    Experiment experiment(choices, config.space, evaluator, *strategy, folder);
    const auto runner =
        make_runner(program, config, evaluator, choices.mutables(), folder, [] { return false; });
    const std::clock_t busy = std::clock();
    const auto begin = std::chrono::steady_clock::now();
    experiment.run(config.experiment, *runner, scales);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    TORCH_CHECK(experiment.n_trials() == n_trials, "only ", experiment.n_trials(), " trials ended");
    result = {{"trials", n_trials},
              {"concurrency", concurrency},
              {"seconds", seconds.count()},
              {"processor_seconds",
               static_cast<double>(std::clock() - busy) / static_cast<double>(CLOCKS_PER_SEC)},
              {"per_minute", std::round(static_cast<double>(n_trials) / seconds.count() * 60)},
              {"resident_mib_after_a_fifth", scales.at_a_fifth},
              {"resident_mib_at_the_end", resident_mib()},
              {"store_mib",
               static_cast<double>(std::filesystem::file_size(store_path(folder))) / (1 << 20)}};
  }
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: trials_bench OUT [RUNNER] [TRIALS] [CONCURRENCY]\n";
    return 2;
  }
  Program program;
  program.evaluators.add("nothing", make_nothing);
  if (std::string(argv[1]) == "trial") {
    return program.run(argc, argv);  // one of the processes that the runner starts
  }
  const std::filesystem::path out = argv[1];
  const std::string runner = argc > 2 ? argv[2] : "inline";
  const int64_t n_trials = argc > 3 ? std::stoll(argv[3]) : 100'000;
  const int64_t concurrency = argc > 4 ? std::stoll(argv[4]) : 2;
  const std::filesystem::path file = out / "trials.json";
  Json all = std::filesystem::exists(file) ? read_format(file, "retia.bench.trials", 1)
                                           : Json{{"format", "retia.bench.trials"}, {"version", 1}};
  all["machine"] = machine();
  all[runner] = measure(program, runner, n_trials, concurrency, out / "trials_bench");
  std::cout << all[runner].dump(2) << '\n';
  write_json(file, all);
  return 0;
}
