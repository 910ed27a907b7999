#include "retia/engine/cost/decision_diagram.h"

#include <c10/util/Exception.h>

#include <algorithm>

namespace retia::ir {
namespace {

constexpr size_t kMostNodes = 1'000'000;

}  // namespace

DecisionDiagram::DecisionDiagram(std::vector<int64_t> n_values) : n_values_(std::move(n_values)) {
  const size_t after_all = n_values_.size();
  nodes_ = {{after_all, {}}, {after_all, {}}};
}

DecisionDiagram::Function DecisionDiagram::is(size_t variable, const std::vector<bool>& holds) {
  return make(variable, {holds.begin(), holds.end()});
}

bool DecisionDiagram::at(Function f, const Values& values) const {
  while (f > kAlways) {
    const Node& node = nodes_[static_cast<size_t>(f)];
    f = node.children[static_cast<size_t>(values[node.variable])];
  }
  return f == kAlways;
}

DecisionDiagram::Expectation DecisionDiagram::expectation(const std::map<Function, double>& weights,
                                                          const Probabilities& p) const {
  std::vector<double> holds(nodes_.size(), 0), adjoint(nodes_.size(), 0);
  holds[kAlways] = 1;
  for (size_t f = kAlways + 1; f < nodes_.size(); ++f) {
    const auto& [variable, children] = nodes_[f];
    for (size_t k = 0; k < children.size(); ++k) {
      holds[f] += p[variable][k] * holds[static_cast<size_t>(children[k])];
    }
  }
  Expectation result;
  for (const int64_t n : n_values_) {
    result.gradient.emplace_back(static_cast<size_t>(n), 0.0);
  }
  for (const auto& [f, weight] : weights) {
    adjoint[static_cast<size_t>(f)] += weight;
    result.value += weight * holds[static_cast<size_t>(f)];
  }
  for (size_t f = nodes_.size() - 1; f > kAlways; --f) {
    const auto& [variable, children] = nodes_[f];
    for (size_t k = 0; adjoint[f] != 0 && k < children.size(); ++k) {
      const auto next = static_cast<size_t>(children[k]);
      adjoint[next] += adjoint[f] * p[variable][k];
      result.gradient[variable][k] += adjoint[f] * holds[next];
    }
  }
  return result;
}

DecisionDiagram::Function DecisionDiagram::make(size_t variable, std::vector<Function> children) {
  TORCH_INTERNAL_ASSERT(static_cast<int64_t>(children.size()) == n_values_[variable]);
  if (std::all_of(children.begin(), children.end(),
                  [&](Function child) { return child == children.front(); })) {
    return children.front();
  }
  const auto [known, is_new] = known_.try_emplace({variable, children}, nodes_.size());
  if (is_new) {
    TORCH_CHECK(nodes_.size() < kMostNodes,
                "what is reached in this space depends on its choices in more than ", kMostNodes,
                " ways: costs cannot be expected in it");
    nodes_.push_back({variable, std::move(children)});
  }
  return known->second;
}

DecisionDiagram::Function DecisionDiagram::combined(Operator op, Function a, Function b) {
  if (a > b) {
    std::swap(a, b);
  }
  const Function neutral = op == Operator::And ? kAlways : kNever;
  const Function absorbing = op == Operator::And ? kNever : kAlways;
  if (a == absorbing || b == absorbing) {
    return absorbing;
  }
  if (a == neutral || a == b) {
    return b;
  }
  if (b == neutral) {
    return a;
  }
  const std::tuple key(op, a, b);
  const auto known = combinations_.find(key);
  if (known != combinations_.end()) {
    return known->second;
  }
  const size_t variable =
      std::min(nodes_[static_cast<size_t>(a)].variable, nodes_[static_cast<size_t>(b)].variable);
  std::vector<Function> children;
  for (size_t k = 0; k < static_cast<size_t>(n_values_[variable]); ++k) {
    children.push_back(combined(op, child(a, variable, k), child(b, variable, k)));
  }
  return combinations_[key] = make(variable, std::move(children));
}

DecisionDiagram::Function DecisionDiagram::child(Function f, size_t variable, size_t value) const {
  const Node& node = nodes_[static_cast<size_t>(f)];
  return node.variable == variable ? node.children[value] : f;
}

}  // namespace retia::ir
