#include "retia/trainers/one_shot/early_stop.h"

#include <ATen/core/grad_mode.h>

#include <numeric>

namespace retia {
namespace {

constexpr const char* kState = "early_stop";

std::string tensor_name(size_t i, const std::string& name) {
  return std::string(kState) + "/" + std::to_string(i) + "/" + name;
}

}  // namespace

EarlyStop::EarlyStop(const EarlyStopOptions& options, NamedTensors alphas)
    : options_(options), alphas_(std::move(alphas)) {
  check_declared(options, "early_stop");
}

void EarlyStop::tell_skips(int64_t n_skips) {
  if (watches_skips() && n_skips >= options_.skip_connections) {
    reason_ = c10::str("a normal cell keeps ", n_skips, " skip connections");
  }
}

void EarlyStop::tell_eigenvalue(double eigenvalue) {
  const auto k = static_cast<size_t>(options_.window);
  eigenvalues_.push_back(eigenvalue);
  former_.push_back(copies());
  if (former_.size() > k + 1) {
    former_.erase(former_.begin());
  }
  const size_t n = eigenvalues_.size();
  if (n < 2 * k) {
    return;
  }
  const double before = mean_of_window(n - k), now = mean_of_window(n);
  if (now > 0 && before < options_.eigenvalue_ratio * now) {
    const at::NoGradGuard no_grad;
    for (auto& [name, alpha] : alphas_) {
      alpha.copy_(former_.front().at(name));
    }
    reason_ = c10::str("the largest eigenvalue of the Hessian grew in ", k, " epochs from ", before,
                       " to ", now, "; alphas are those before");
  }
}

/// Returns m, the mean of the last k eigenvalues, after `end` epochs.
double EarlyStop::mean_of_window(size_t end) const {
  const auto last = eigenvalues_.begin() + static_cast<int64_t>(end);
  return std::accumulate(last - options_.window, last, 0.0) / static_cast<double>(options_.window);
}

NamedTensors EarlyStop::copies() const {
  NamedTensors copies;
  for (const auto& [name, alpha] : alphas_) {
    copies[name] = alpha.detach().clone();
  }
  return copies;
}

void EarlyStop::save(Checkpoint& checkpoint) const {
  checkpoint.state[kState] = {
      {"eigenvalues", eigenvalues_}, {"former", former_.size()}, {"reason", reason_}};
  for (size_t i = 0; i < former_.size(); ++i) {
    for (const auto& [name, alpha] : former_[i]) {
      checkpoint.tensors[tensor_name(i, name)] = alpha;
    }
  }
}

void EarlyStop::load(const Checkpoint& checkpoint) {
  const Json& state = checkpoint.state.at(kState);
  eigenvalues_ = state.at("eigenvalues").get<std::vector<double>>();
  reason_ = state.at("reason");
  former_.resize(state.at("former"));
  for (size_t i = 0; i < former_.size(); ++i) {
    for (const auto& [name, alpha] : alphas_) {
      former_[i][name] = checkpoint.tensors.at(tensor_name(i, name)).to(alpha.device());
    }
  }
}

}  // namespace retia
