// Regret curves of every strategy on the table of NAS-Bench-201, as JSON and as a picture.
//
//   regret_bench TABLE.csv.gz OUT [SEEDS = 100] [EVALUATIONS = 300]
//
// A strategy sees the validation accuracy after 12 epochs; its regret after n evaluations is how
// much worse than the best of the benchmark the architecture with the best of these tests after
// 200.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>

#include "retia/engine/io/files.h"
#include "retia/models/nasbench201.h"
#include "retia/strategies/strategies.h"
#include "retia/trainers/evaluators/table.h"

namespace {

using namespace retia;

constexpr double kBestTest = 94.3733;  // of all 15,625, by the table
constexpr double kLeft = 70, kRight = 640, kTop = 40, kBottom = 420;

struct Curve {
  std::string strategy;
  std::vector<double> regret;      // by evaluation, mean over seeds
  std::vector<double> final_test;  // by seed

  double mean_test() const {
    double sum = 0;
    for (const double test : final_test) {
      sum += test;
    }
    return sum / static_cast<double>(final_test.size());
  }
  double deviation() const {
    double sum = 0;
    for (const double test : final_test) {
      sum += (test - mean_test()) * (test - mean_test());
    }
    return std::sqrt(sum / static_cast<double>(final_test.size()));
  }
};

/// The test accuracy of the incumbent after each evaluation.
std::vector<double> run(Strategy& strategy, TableEvaluator& table, size_t n_evaluations) {
  std::vector<double> tests;
  double best = -std::numeric_limits<double>::infinity(), test = 0;
  while (tests.size() < n_evaluations) {
    const auto proposal = std::get<Proposal>(strategy.ask());
    const Evaluation found = table.evaluate({.proposal = proposal});
    if (found.objectives.front() > best) {
      best = found.objectives.front();
      test = found.metrics.at("report");
    }
    strategy.tell(proposal, {TrialStatus::Succeeded, found.objectives});
    tests.push_back(test);
  }
  return tests;
}

Curve measure(const std::string& name, const Domain& domain, TableEvaluator& table,
              uint64_t n_seeds, size_t n_evaluations) {
  Curve curve{name, std::vector<double>(n_evaluations), {}};
  for (uint64_t seed = 1; seed <= n_seeds; ++seed) {
    Json options = Json::object();
    if (name == "grid") {
      options["order"] = "shuffled";
    }
    const auto strategy = standard_strategies().make(name, options, domain, seed);
    const std::vector<double> tests = run(*strategy, table, n_evaluations);
    for (size_t i = 0; i < tests.size(); ++i) {
      curve.regret[i] += (kBestTest - tests[i]) / static_cast<double>(n_seeds);
    }
    curve.final_test.push_back(tests.back());
  }
  std::printf("%-15s test accuracy %.3f ± %.3f\n", name.c_str(), curve.mean_test(),
              curve.deviation());
  return curve;
}

/// Mean regret against evaluations; the regret in logarithmic scale.
std::string draw(const std::vector<Curve>& curves, size_t n_evaluations, uint64_t n_seeds) {
  static const char* const kColours[] = {"#d62728", "#7f7f7f", "#2ca02c", "#9467bd",
                                         "#1f77b4", "#ff7f0e", "#17becf", "#8c564b"};
  const double low = std::log10(0.1), high = std::log10(10);
  const auto x = [&](double n) {
    return kLeft + n / static_cast<double>(n_evaluations) * (kRight - kLeft);
  };
  const auto y = [&](double regret) {
    const double part = (std::log10(std::max(regret, 1e-9)) - low) / (high - low);
    return kBottom - std::clamp(part, 0.0, 1.0) * (kBottom - kTop);
  };
  std::ostringstream svg;
  svg << R"(<svg xmlns="http://www.w3.org/2000/svg" width="800" height="470" )"
      << R"(font-family="sans-serif" font-size="13"><rect width="800" height="470" fill="white"/>)"
      << "<path d=\"M" << kLeft << ' ' << kTop << 'V' << kBottom << 'H' << kRight
      << R"(" fill="none" stroke="black"/>)";
  const auto text = [&](double left, double top, const char* anchor, const std::string& words) {
    svg << "<text x=\"" << left << "\" y=\"" << top << "\" text-anchor=\"" << anchor << "\">"
        << words << "</text>";
  };
  for (const double tick : {0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0}) {
    char label[16];
    std::snprintf(label, sizeof label, "%g", tick);
    text(kLeft - 6, y(tick) + 4, "end", label);
    svg << "<path d=\"M" << kLeft << ' ' << y(tick) << 'H' << kRight
        << R"(" stroke="gainsboro" fill="none"/>)";
  }
  for (size_t n = 0; n <= n_evaluations; n += std::max<size_t>(n_evaluations / 6, 1)) {
    text(x(static_cast<double>(n)), kBottom + 18, "middle", std::to_string(n));
  }
  text((kLeft + kRight) / 2, kBottom + 38, "middle", "evaluations");
  text(kLeft, 22, "start",
       "NAS-Bench-201, CIFAR-10: test regret of the incumbent in per cent, mean of " +
           std::to_string(n_seeds) + " seeds");
  for (size_t c = 0; c < curves.size(); ++c) {
    const char* colour = kColours[c % std::size(kColours)];
    svg << "<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" << colour << "\" points=\"";
    for (size_t i = 0; i < curves[c].regret.size(); ++i) {
      svg << x(static_cast<double>(i + 1)) << ',' << y(curves[c].regret[i]) << ' ';
    }
    svg << "\"/>";
    const double row = kTop + 20 + 20 * static_cast<double>(c);
    svg << "<path stroke-width=\"3\" stroke=\"" << colour << "\" d=\"M" << kRight + 12 << ' '
        << row - 4 << "h18\"/>";
    text(kRight + 36, row, "start", curves[c].strategy);
  }
  svg << "</svg>\n";
  return svg.str();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: regret_bench TABLE.csv.gz OUT [SEEDS] [EVALUATIONS]\n";
    return 2;
  }
  const std::filesystem::path out = argv[2];
  const uint64_t n_seeds = argc > 3 ? std::stoull(argv[3]) : 100;
  const size_t n_evaluations = argc > 4 ? std::stoull(argv[4]) : 300;
  TableEvaluator table({.file = argv[1], .metric = "cifar10_val_12", .report = "cifar10_test_200"},
                       nasbench201_key);
  const Domain domain(nasbench201({}, {{3, 32, 32}, 10}));
  std::vector<Curve> curves;
  for (const std::string& name : standard_strategies().names()) {
    if (name != "asha") {  // the table has no validation accuracy at any other number of epochs
      curves.push_back(measure(name, domain, table, n_seeds, n_evaluations));
    }
  }
  Json listed = Json::object();
  for (const Curve& curve : curves) {
    Json regret = Json::array();
    for (const double value : curve.regret) {
      regret.push_back(std::round(value * 1e4) / 1e4);
    }
    listed[curve.strategy] = {{"mean_test_accuracy", curve.mean_test()},
                              {"deviation", curve.deviation()},
                              {"mean_test_regret", regret}};
  }
  std::filesystem::create_directories(out);
  write_json(out / "regret_nasbench201.json",
             {{"format", "retia.bench.regret"},
              {"version", 1},
              {"searched", "cifar10_val_12"},
              {"reported", "cifar10_test_200"},
              {"best_test_accuracy", kBestTest},
              {"seeds", n_seeds},
              {"evaluations", n_evaluations},
              {"published_regularized_evolution",
               {{"test_accuracy", 93.92},
                {"deviation", 0.30},
                {"source", "Dong and Yang, ICLR 2020 (REA, at a budget of simulated seconds)"}}},
              {"strategies", listed}});
  write_atomically(out / "regret_nasbench201.svg", draw(curves, n_evaluations, n_seeds));
  return 0;
}
