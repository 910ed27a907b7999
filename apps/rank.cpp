#include <cmath>
#include <iostream>
#include <sstream>

#include "retia/apps/commands.h"
#include "retia/apps/run_record.h"
#include "retia/apps/run_split.h"
#include "retia/apps/workbench.h"
#include "retia/engine/base/rank_correlation.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

/// One architecture, scored twice on the validation samples.
struct Point {
  Architecture architecture;
  double inherited = 0, alone = 0;
};

/// A scatter plot of 480 x 480.
std::string plot(const std::vector<Point>& points, const std::string& title) {
  constexpr double kBegin = 60, kEnd = 450;  // of both axes, in pixels
  const auto range = [&](double Point::*axis) {
    double low = 1, high = 0;
    for (const Point& point : points) {
      low = std::min(low, point.*axis);
      high = std::max(high, point.*axis);
    }
    return std::pair(low, std::max(high, low + 1e-6));
  };
  const auto [x_low, x_high] = range(&Point::inherited);
  const auto [y_low, y_high] = range(&Point::alone);
  std::ostringstream svg;
  svg << R"(<svg xmlns="http://www.w3.org/2000/svg" width="480" height="500" )"
      << R"(font-family="sans-serif" font-size="13"><rect width="480" height="500" fill="white"/>)"
      << R"(<text x="60" y="24">)" << title << "</text>"
      << R"(<path d="M60 40V450H460" fill="none" stroke="black"/>)";
  const auto text = [&](double x, double y, const char* anchor, const std::string& words) {
    svg << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor << "\">" << words
        << "</text>";
  };
  text(kBegin, 468, "start", percent(x_low));
  text(kEnd, 468, "end", percent(x_high));
  text(255, 488, "middle", "validation accuracy with inherited weights");
  text(56, kEnd, "end", percent(y_low));
  text(56, 52, "end", percent(y_high));
  svg << R"x(<text transform="translate(20 260) rotate(-90)" text-anchor="middle">)x"
      << "trained alone</text>";
  for (const Point& point : points) {
    svg << "<circle cx=\""
        << kBegin + (point.inherited - x_low) / (x_high - x_low) * (kEnd - kBegin) << "\" cy=\""
        << kEnd - (point.alone - y_low) / (y_high - y_low) * (kEnd - kBegin)
        << "\" r=\"4\" fill=\"steelblue\" fill-opacity=\"0.7\"/>";
  }
  svg << "</svg>\n";
  return svg.str();
}

Json interval_json(const Interval& interval) {
  const auto number = [](double value) { return std::isnan(value) ? Json() : Json(value); };
  return {{"value", number(interval.value)},
          {"low", number(interval.low)},
          {"high", number(interval.high)}};
}

std::string words(const char* name, const Interval& interval) {
  char text[96];
  std::snprintf(text, sizeof text, "%s %.3f (95 %% interval %.3f to %.3f)", name, interval.value,
                interval.low, interval.high);
  return text;
}

int run_rank(const Program& program, const Config& config) {
  TORCH_CHECK(config.experiment.max_trials >= 2,
              "rank needs --max-trials N, the number of architectures to train alone: at least 2");
  const Workbench bench = open_workbench(program, config);
  const TrainedSupernet supernet = read_supernet(program, config, bench.task);
  const auto seed = static_cast<uint64_t>(config.run.seed);
  const Split split = supernet.split ? split_again(bench.data, *supernet.split)
                                     : split_of(bench.data.train, config.data.valid_fraction, seed);
  const std::unique_ptr<Strategy> strategy =
      program.strategies.make(config.strategy, config.strategy_options, supernet.space,
                              static_cast<uint64_t>(config.run.seed));
  const std::unique_ptr<Evaluator> evaluator =
      make_evaluator(program, config, bench, supernet.space);

  RunDirectory directory = open_run_directory(program, config, bench, supernet.space.graph(),
                                              {{"weights", supernet.digest}});
  write_json(directory.file("space.json"), ir::to_json(supernet.space.graph()));
  TrialObserver observer(config.run, config.experiment, *evaluator);
  Experiment experiment(supernet.space, supernet.reference, *evaluator, *strategy,
                        directory.path());
  observer.begin(experiment);
  const ExperimentEnding ending = experiment.run(config.experiment, observer);
  TORCH_CHECK(ending != ExperimentEnding::Failures, experiment.failures().to_string());
  if (ending == ExperimentEnding::Stopped) {
    std::cout << "stopped; continue with the same command and --resume\n";
    return kInterrupted;
  }

  const Batches train = bench.scoring(config, bench.data.train, split.train);
  const Batches valid = bench.scoring(config, bench.data.train, split.valid);
  const std::vector<Mutable> mutables = supernet.space.mutables();
  Network shared = make_network(supernet.space.supernet(), config, bench);
  copy_weights(supernet.weights, *shared);
  std::vector<Point> points;
  std::vector<double> inherited, alone;
  Json listed = Json::array();
  for (const Trial& trial : experiment.trials()) {
    if (!has_succeeded(trial)) {
      continue;
    }
    const Architecture& architecture = trial.proposal.architecture;
    Network model = inherit(shared, architecture);
    recalibrate(model, train, kRecalibrationBatches);
    points.push_back(
        {architecture, score_of(model, valid).accuracy, trial.evaluation.objectives.front()});
    inherited.push_back(points.back().inherited);
    alone.push_back(points.back().alone);
    listed.push_back({{"choices", choices_to_json(architecture, mutables)},
                      {"inherited", inherited.back()},
                      {"alone", alone.back()}});
  }
  TORCH_CHECK(points.size() >= 2, "only ", points.size(), " of ", experiment.n_trials(),
              " trials succeeded, but a rank needs two: see retia show ", config.run.out);
  const Interval tau = bootstrap(kendall_tau, inherited, alone, seed);
  const Interval rho = bootstrap(spearman_rho, inherited, alone, seed);
  write_json(directory.file("rank.json"), {{"format", "retia.rank"},
                                           {"version", 1},
                                           {"space", config.space},
                                           {"supernet", config.run.checkpoint},
                                           {"kendall_tau", interval_json(tau)},
                                           {"spearman_rho", interval_json(rho)},
                                           {"architectures", listed}});
  write_atomically(directory.file("rank.svg"), plot(points, words("Kendall's tau", tau)));
  std::cout << points.size() << " architectures\n"
            << words("Kendall's tau", tau) << '\n'
            << words("Spearman's rho", rho) << "\nplot " << config.run.out << "/rank.svg"
            << std::endl;
  directory.mark_finished();
  return kDone;
}

}  // namespace

Command commands::rank() {
  return configured(
      {.name = "rank",
       .summary = "how well the weights of a search rank architectures",
       .flags = with_run_flags({"checkpoint", "strategy", "epochs", "max-trials", "max-duration"}),
       .required = {"checkpoint", "out"},
       .sections = {"strategy", "evaluator", "experiment"}},
      run_rank);
}

}  // namespace retia
