// Times the evaluation of small models at once (Evaluator::evaluate_merged) against one after the
// other, and what it takes with other limits on the channels of joined images.
//
//   taskset -c 0 merged_bench OUT.json [MODELS = 8] [ROUNDS = 5] [EPOCHS = 5]
//
// All that is compared takes turns, round by round, in one process on one thread. Seconds are of
// processor time, which others on the machine do not count into. What is merged must score what is
// not, or nothing is written.

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>

#include "retia/engine/base/random.h"
#include "retia/engine/io/files.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/spaces.h"
#include "retia/trainers/evaluators/classification.h"
#include "retia/trainers/merged_trainer.h"

namespace {

using namespace retia;

struct Case {
  std::string space;
  Json options;
  DataOptions data;
  Task task;
};

std::vector<Case> cases() {
  const DataOptions digits = {.name = "digits", .valid_fraction = 0.2};
  const DataOptions images = {.name = "synthetic",
                              .valid_fraction = 0.2,
                              .synthetic = {.n_train = 640, .height = 28, .width = 28}};
  const Task small = {{1, 8, 8}, 10}, large = {{1, 28, 28}, 10};
  return {{"mlp", Json::object(), digits, small},
          {"mlp", Json::object(), images, large},
          {"tiny", {{"width_choice", true}}, digits, small},
          {"tiny", {{"width_choice", true}}, images, large},
          {"nasbench201", {{"channels", 4}, {"cells", 1}}, digits, small},
          {"nasbench201", {{"channels", 4}, {"cells", 1}}, images, large}};
}

/// Different models of a space, drawn uniformly.
std::vector<ir::Graph> draw(const Case& of, size_t n) {
  const ir::Graph space = standard_spaces().search(of.space, of.options, of.task).graph();
  Random random(1);
  std::vector<Architecture> drawn;
  std::vector<ir::Graph> models;
  while (models.size() < n) {
    Architecture architecture;
    for (const Mutable& choice : ir::mutables(space)) {
      architecture[choice.label].chosen = random.choose(*choice.n_chosen, choice.n_candidates());
    }
    architecture = ir::canonical(space, architecture);
    if (std::find(drawn.begin(), drawn.end(), architecture) == drawn.end()) {
      drawn.push_back(architecture);
      models.push_back(ir::freeze(space, architecture));
    }
  }
  return models;
}

template <class Run>
double seconds(const Run& run) {
  const std::clock_t started = std::clock();
  run();
  return static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Trains the models at once, as the evaluator does.
void train(const std::vector<ir::Graph>& models, const Batches& batches, int64_t most_channels,
           int64_t epochs) {
  std::vector<Network> networks;
  for (const ir::Graph& model : models) {
    networks.emplace_back(model, 0);
  }
  TrainingObserver nobody;
  MergedTrainer(MergedNetwork(networks, most_channels), batches, std::nullopt, {.epochs = epochs},
                {})
      .fit(nobody, nullptr);
}

/// Throws unless both scored the same, but for a few samples that rounding decides.
void check_equal(const std::vector<Evaluation>& merged, const std::vector<Evaluation>& alone) {
  for (size_t i = 0; i < alone.size(); ++i) {
    const double a = merged[i].metrics.at("train_loss"), b = alone[i].metrics.at("train_loss");
    TORCH_CHECK(std::abs(a - b) < 1e-3 * (1 + b), "model ", i, " reaches the loss ", a,
                " merged and ", b, " alone");
  }
}

std::vector<Evaluation> evaluated_alone(Evaluator& evaluator, const std::vector<Trial>& trials) {
  std::vector<Evaluation> evaluations;
  for (const Trial& trial : trials) {
    evaluations.push_back(evaluator.evaluate(trial));
  }
  return evaluations;
}

Json measure(const Case& of, size_t n_models, int64_t n_rounds, int64_t n_epochs) {
  const std::vector<ir::Graph> models = draw(of, n_models);
  std::vector<Trial> trials;
  for (const ir::Graph& model : models) {
    trials.push_back({.model = model});
  }
  ClassificationEvaluator evaluator({.data = of.data, .epochs = n_epochs}, standard_data_sets());
  const Batches batches(standard_data_sets().load(of.data).train,
                        {.batch_size = 64, .last = LastBatch::Drop});
  std::vector<Evaluation> alone, merged;
  const std::vector<std::pair<std::string, int64_t>> limits = {
      {"1", 1}, {"16", 16}, {"any", ir::kAnyNumberOfChannels}};
  std::map<std::string, std::vector<double>> times, of_limits;
  for (int64_t round = 0; round <= n_rounds; ++round) {
    const double s = seconds([&] { alone = evaluated_alone(evaluator, trials); });
    const double m = seconds([&] {
      auto together = evaluator.evaluate_merged(trials);
      merged = together ? std::move(*together) : evaluated_alone(evaluator, trials);
    });
    check_equal(merged, alone);
    for (const auto& [name, limit] : limits) {
      const double t = seconds([&] { train(models, batches, limit, n_epochs); });
      if (round > 0) {
        of_limits[name].push_back(t);
      }
    }
    if (round > 0) {  // the first one warms up
      times["alone"].push_back(s);
      times["merged"].push_back(m);
    }
  }
  const double a = median(times["alone"]), b = median(times["merged"]);
  std::printf("%-12s %2ldx%-2ld %zu models: alone %.3f s, merged %.3f s, %.2f times as fast;",
              of.space.c_str(), of.task.input[1], of.task.input[2], n_models, a, b, a / b);
  Json by_channels = Json::object();
  for (const auto& [name, limit] : limits) {
    by_channels[name] = median(of_limits[name]);
    std::printf(" %s: %.3f", name.c_str(), median(of_limits[name]));
  }
  std::printf("\n");
  std::fflush(stdout);
  return {{"space", of.space},
          {"options", of.options},
          {"input", of.task.input},
          {"models", n_models},
          {"alone_seconds", a},
          {"merged_seconds", b},
          {"ratio", a / b},
          {"alone_runs", times["alone"]},
          {"merged_runs", times["merged"]},
          {"training_seconds_by_most_channels", by_channels}};
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) {
      return line.substr(line.find(':') + 2) + ", one core";
    }
  }
  return "unknown, one core";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: merged_bench OUT.json [MODELS] [ROUNDS] [EPOCHS]\n";
    return 2;
  }
  at::set_num_threads(1);
  const size_t n_models = argc > 2 ? std::stoull(argv[2]) : 8;
  const int64_t n_rounds = argc > 3 ? std::stoll(argv[3]) : 5;
  const int64_t n_epochs = argc > 4 ? std::stoll(argv[4]) : 5;
  Json measured = Json::array();
  for (const Case& of : cases()) {
    measured.push_back(measure(of, n_models, n_rounds, n_epochs));
  }
  write_json(argv[1], {{"format", "retia.bench.merged"},
                       {"version", 1},
                       {"machine", processor()},
                       {"epochs", n_epochs},
                       {"batch_size", 64},
                       {"rounds", n_rounds},
                       {"cases", measured}});
  return 0;
}
