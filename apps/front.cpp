#include "retia/apps/front.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "retia/engine/base/pareto.h"
#include "retia/engine/io/files.h"

namespace retia {
namespace {

constexpr double kLow = 70, kHigh = 450;  // of both axes, in pixels

struct Axis {
  double low = 0, high = 1;
  double place(double value) const { return (value - low) / (high - low); }
};

Axis axis_of(const std::vector<Objectives>& points, size_t objective) {
  const auto less = [&](const auto& a, const auto& b) { return a[objective] < b[objective]; };
  const auto [low, high] = std::minmax_element(points.begin(), points.end(), less);
  const double span = (*high)[objective] - (*low)[objective];
  return {(*low)[objective], span > 0 ? (*high)[objective] : (*low)[objective] + 1};
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// Draws all trials as grey dots and the front as a blue staircase; the first objective upwards,
/// the second to the right.
std::string draw(const std::vector<Objectives>& values, const std::vector<size_t>& front,
                 const std::vector<Objective>& objectives) {
  const Axis x_axis = axis_of(values, 1), y_axis = axis_of(values, 0);
  const auto x = [&](const Objectives& v) { return kLow + x_axis.place(v[1]) * (kHigh - kLow); };
  const auto y = [&](const Objectives& v) { return kHigh - y_axis.place(v[0]) * (kHigh - kLow); };
  std::ostringstream svg;
  svg << R"(<svg xmlns="http://www.w3.org/2000/svg" width="480" height="500" )"
      << R"(font-family="sans-serif" font-size="13"><rect width="480" height="500" fill="white"/>)"
      << R"(<path d="M70 40V450H460" fill="none" stroke="black"/>)";
  const auto text = [&](double left, double top, const char* anchor, const std::string& words) {
    svg << "<text x=\"" << left << "\" y=\"" << top << "\" text-anchor=\"" << anchor << "\">"
        << words << "</text>";
  };
  text(kLow, 468, "start", number(x_axis.low));
  text(kHigh, 468, "end", number(x_axis.high));
  text((kLow + kHigh) / 2, 488, "middle", objectives[1].name);
  text(kLow - 4, kHigh, "end", number(y_axis.low));
  text(kLow - 4, kLow, "end", number(y_axis.high));
  text(kLow, 28, "start",
       objectives[0].name + " of " + std::to_string(front.size()) +
           " trials that no other dominates");
  for (const Objectives& v : values) {
    svg << "<circle cx=\"" << x(v) << "\" cy=\"" << y(v) << R"(" r="2" fill="silver"/>)";
  }
  for (const size_t i : front) {
    svg << "<circle cx=\"" << x(values[i]) << "\" cy=\"" << y(values[i])
        << R"(" r="4" fill="steelblue"/>)";
  }
  svg << "</svg>\n";
  return svg.str();
}

}  // namespace

size_t write_front(const Experiment& experiment, const RunDirectory& directory) {
  const std::vector<Objective>& objectives = experiment.objectives();
  std::vector<Objectives> values, reached;
  std::vector<int64_t> ids;
  experiment.each_trial([&](const Trial& trial) {
    if (has_succeeded(trial)) {
      ids.push_back(trial.proposal.id);
      values.push_back(trial.evaluation.objectives);
      reached.push_back(gains(objectives, trial));
    }
  });
  const std::vector<size_t> front = pareto_front(reached);
  Json listed = Json::array();
  for (const size_t i : front) {
    Json named = Json::object();
    for (size_t m = 0; m < objectives.size(); ++m) {
      named[objectives[m].name] = values[i][m];
    }
    listed.push_back({{"trial", ids[i]}, {"objectives", named}});
  }
  write_json(directory.file("front.json"),
             {{"format", "retia.front"}, {"version", 1}, {"trials", listed}});
  write_atomically(directory.file("front.svg"), draw(values, front, objectives));
  return front.size();
}

}  // namespace retia
