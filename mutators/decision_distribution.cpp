#include "retia/mutators/decision_distribution.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace retia {
namespace {

/// The log of a probability that is zero: far below all others, but finite, so that differences of
/// two of them, and their gradients, are numbers.
constexpr double kLogOfZero = -1e30;

std::vector<double> on_host(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

/// -p log p - (1 - p) log(1 - p) for p = sigmoid(logit).
at::Tensor entropy_of_coin(const at::Tensor& logit) {
  return at::softplus(logit) - logit * at::sigmoid(logit);
}

/// Returns `row` shifted right by one place: entry c becomes that of c - 1, and entry 0 becomes
/// `first`.
at::Tensor shifted(const at::Tensor& row, double first) {
  return at::cat({at::full({1}, first, row.options()), row.slice(0, 0, -1)});
}

}  // namespace

DecisionDistribution::DecisionDistribution(at::Tensor logits, std::optional<int64_t> n_chosen)
    : logits_(std::move(logits)), n_chosen_(n_chosen) {
  TORCH_CHECK(logits_.dim() == 1, "logits: expected [n], got ", logits_.sizes());
  const int64_t n = logits_.size(0);
  TORCH_CHECK(!n_chosen || (*n_chosen >= 0 && *n_chosen <= n), "n_chosen must be in 0 to ", n,
              ", got ", n_chosen.value_or(0));
  if (!n_chosen) {
    return;
  }
  if (*n_chosen == 1) {
    log_total_ = logits_.logsumexp(0);
    return;
  }
  // totals[c] = log sum over sets of c of the candidates i … n-1 of exp(sum of their logits).
  at::Tensor totals = at::full({*n_chosen + 1}, kLogOfZero, logits_.options());
  totals = at::cat({at::zeros({1}, totals.options()), totals.slice(0, 1)});
  std::vector<at::Tensor> rows(static_cast<size_t>(n));
  for (int64_t i = n - 1; i >= 0; --i) {
    const at::Tensor with = shifted(totals, kLogOfZero) + logits_[i];
    rows[static_cast<size_t>(i)] = with - totals;
    totals = at::logaddexp(totals, with);
  }
  inclusion_ = n > 0 ? at::stack(rows) : at::zeros({0, *n_chosen + 1}, logits_.options());
  log_total_ = totals[*n_chosen];
}

at::Tensor DecisionDistribution::probabilities() const {
  return n_chosen_ ? logits_.softmax(0) : at::sigmoid(2 * logits_);
}

std::vector<int64_t> DecisionDistribution::sample(Random& random) const {
  if (n_chosen_ == 1) {
    return {random.pick(on_host(probabilities()))};
  }
  if (n_chosen_) {
    return sample_set(random);
  }
  std::vector<int64_t> chosen;
  const std::vector<double> p = on_host(probabilities());
  for (size_t i = 0; i < p.size(); ++i) {
    if (random.uniform() < p[i]) {
      chosen.push_back(static_cast<int64_t>(i));
    }
  }
  return chosen;
}

std::vector<int64_t> DecisionDistribution::sample_set(Random& random) const {
  const std::vector<double> p = on_host(inclusion_.sigmoid());
  const int64_t columns = *n_chosen_ + 1;
  std::vector<int64_t> chosen;
  int64_t missing = *n_chosen_;
  for (int64_t i = 0; i < logits_.size(0) && missing > 0; ++i) {
    if (random.uniform() < p[static_cast<size_t>(i * columns + missing)]) {
      chosen.push_back(i);
      --missing;
    }
  }
  return chosen;
}

std::vector<int64_t> DecisionDistribution::mode() const {
  const std::vector<double> q = on_host(logits_);
  std::vector<int64_t> order(q.size());
  std::iota(order.begin(), order.end(), 0);
  if (!n_chosen_) {
    order.erase(std::remove_if(order.begin(), order.end(),
                               [&](int64_t i) { return q[static_cast<size_t>(i)] <= 0; }),
                order.end());
    return order;
  }
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return q[static_cast<size_t>(a)] > q[static_cast<size_t>(b)];
  });
  order.resize(static_cast<size_t>(*n_chosen_));
  std::sort(order.begin(), order.end());
  return order;
}

at::Tensor DecisionDistribution::log_prob(const std::vector<int64_t>& chosen) const {
  std::vector<double> is_chosen(static_cast<size_t>(logits_.size(0)), 0);
  for (const int64_t i : chosen) {
    is_chosen.at(static_cast<size_t>(i)) = 1;
  }
  const at::Tensor mask = at::tensor(is_chosen, at::kDouble).to(logits_.options());
  if (n_chosen_) {
    TORCH_CHECK(static_cast<int64_t>(chosen.size()) == *n_chosen_, "expected ", *n_chosen_,
                " chosen candidates, got ", chosen.size());
    return (logits_ * mask).sum() - log_total_;
  }
  return at::log_sigmoid(2 * logits_ * (2 * mask - 1)).sum();
}

at::Tensor DecisionDistribution::entropy() const {
  if (!n_chosen_) {
    return entropy_of_coin(2 * logits_).sum();
  }
  if (*n_chosen_ == 1) {
    const at::Tensor log_p = logits_.log_softmax(0);
    return -(log_p.exp() * log_p).sum();
  }
  // entropies[c]: of choosing c of the candidates i … n-1.
  at::Tensor entropies = at::zeros({*n_chosen_ + 1}, logits_.options());
  for (int64_t i = logits_.size(0) - 1; i >= 0; --i) {
    const at::Tensor logit = inclusion_[i];
    const at::Tensor p = logit.sigmoid();
    entropies = entropy_of_coin(logit) + p * shifted(entropies, 0) + (1 - p) * entropies;
  }
  return entropies[*n_chosen_];
}

at::Tensor DecisionDistribution::divergence(double target) const {
  if (n_chosen_) {
    return {};
  }
  const at::Tensor q = 2 * logits_;
  const at::Tensor p = probabilities();
  return (p * (at::log_sigmoid(q) - std::log(target)) +
          (1 - p) * (at::log_sigmoid(-q) - std::log(1 - target)))
      .sum();
}

}  // namespace retia
