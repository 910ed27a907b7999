#include "retia/mutators/enas.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm_cell.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <numeric>

namespace retia {
namespace {

constexpr double kInitialRange = 0.1;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Returns whether `choice` is in the scope `path` or a scope inside it.
bool is_under(const Mutable& choice, const std::string& path) {
  return choice.scope == path || choice.scope.compare(0, path.size() + 1, path + "/") == 0;
}

/// The mutable that makes an input.
struct Maker {
  size_t position = 0;    // of the mutable
  bool is_scope = false;  // whether it is the last of a scope that has the name
};

/// The last of the first `n` of `mutables` that makes what an input choice in `scope` calls `name`.
std::optional<Maker> maker_of(const std::vector<Mutable>& mutables, size_t n,
                              const std::string& name, std::string scope) {
  while (true) {
    const std::string path = scope.empty() ? name : scope + "/" + name;
    for (size_t m = n; m-- > 0;) {
      const bool has_label = mutables[m].label == path;
      if (has_label || is_under(mutables[m], path)) {
        return Maker{m, !has_label};
      }
    }
    if (scope.empty()) {
      return std::nullopt;
    }
    scope = scope_of(scope);
  }
}

std::optional<size_t> position_of(const std::vector<Mutable>& mutables, size_t n,
                                  const std::string& label) {
  for (size_t m = 0; m < n; ++m) {
    if (mutables[m].label == label) {
      return m;
    }
  }
  return std::nullopt;
}

}  // namespace

struct EnasMutator::Walk {
  at::Tensor input;                      // [1, lstm_size]
  std::vector<at::Tensor> hidden, cell;  // per layer [1, lstm_size]
  std::vector<at::Tensor> states;        // [1, lstm_size]; undefined: not come to yet
};

EnasMutator::EnasMutator(const torch::nn::Module& model, const EnasMutatorOptions& options)
    : PolicyMutator(model), options_(options), random_(options.seed) {
  check_declared(options, "enas");
  const std::vector<at::Tensor> weights = model.parameters();
  const at::TensorOptions like =
      weights.empty() ? at::TensorOptions() : weights.front().options().requires_grad(false);
  const int64_t size = options.lstm_size;
  start_ = draw_parameter("start", {1, size}, like);
  for (int64_t i = 0; i < options.lstm_layers; ++i) {
    const std::string name = "lstm" + std::to_string(i);
    const at::Tensor of_input = draw_parameter(name + "/input", {4 * size, size}, like);
    lstm_.emplace_back(of_input, draw_parameter(name + "/hidden", {4 * size, size}, like));
  }
  for (const Mutable& choice : mutables()) {
    if (choice.kind == MutableKind::InputChoice && !attend_.defined()) {
      attend_anchor_ = draw_parameter("attention/anchor", {size, size}, like);
      attend_hidden_ = draw_parameter("attention/hidden", {size, size}, like);
      attend_ = draw_parameter("attention/out", {1, size}, like);
    }
    if (choice.kind != MutableKind::InputChoice && heads_.count({choice.kind, choice.names}) == 0) {
      const std::vector<int64_t> sizes = {choice.n_candidates(), size};
      const at::Tensor logits = draw_parameter("logits/" + choice.label, sizes, like);
      heads_[{choice.kind, choice.names}] = {
          logits, draw_parameter("embedding/" + choice.label, sizes, like)};
    }
  }
  find_anchors();
}

at::Tensor EnasMutator::draw_parameter(const std::string& name, std::vector<int64_t> sizes,
                                       const at::TensorOptions& like) {
  std::vector<double> values(static_cast<size_t>(
      std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>())));
  for (double& value : values) {
    value = kInitialRange * (2 * random_.uniform() - 1);
  }
  return register_parameter(name, at::tensor(values, at::kDouble).view(sizes).to(like));
}

void EnasMutator::find_anchors() {
  const size_t n = mutables().size();
  std::map<std::string, size_t> marks;
  anchors_.resize(n);
  ends_scope_.resize(n);
  for (size_t m = 0; m < n; ++m) {
    const Mutable& choice = mutables()[m];
    for (size_t k = 0; choice.kind == MutableKind::InputChoice && k < choice.names.size(); ++k) {
      const std::string& name = choice.names[k];
      const std::optional<Maker> maker = maker_of(mutables(), m, name, choice.scope);
      if (maker && maker->is_scope && options_.cell_exit_extra_step) {
        ends_scope_[maker->position] = true;
        anchors_[m].push_back(n + maker->position);
        continue;
      }
      const std::optional<size_t> state =
          maker ? maker->position : position_of(mutables(), m, choice.fed_by[k]);
      anchors_[m].push_back(state ? *state
                                  : marks.emplace(name, 2 * n + marks.size()).first->second);
    }
  }
  n_states_ = 2 * n + marks.size();
}

Architecture EnasMutator::sample_search() {
  const at::NoGradGuard no_grad;
  return walk([this](const Mutable&, const DecisionDistribution& distribution) {
    return Decision{distribution.sample(random_)};
  });
}

Architecture EnasMutator::sample_final() const {
  const at::NoGradGuard no_grad;
  return walk([](const Mutable&, const DecisionDistribution& distribution) {
    return Decision{distribution.mode()};
  });
}

PolicyTerms EnasMutator::terms(const Architecture& architecture) const {
  const at::Tensor zero = at::zeros({}, start_.options());
  PolicyTerms terms{zero, zero, zero};
  walk([&](const Mutable& choice, const DecisionDistribution& distribution) {
    const Decision& decision = architecture.at(choice.label);
    check_decision(decision, choice, Purpose::Final);
    terms.log_prob = terms.log_prob + distribution.log_prob(decision.chosen);
    terms.entropy = terms.entropy + distribution.entropy();
    const at::Tensor divergence = distribution.divergence(options_.skip_target);
    terms.penalty = divergence.defined() ? terms.penalty + divergence : terms.penalty;
    return decision;
  });
  return terms;
}

Architecture EnasMutator::walk(const Decide& decide) const {
  const std::vector<at::Tensor> zeros(lstm_.size(), at::zeros_like(start_));
  Walk walk{start_, zeros, zeros, std::vector<at::Tensor>(n_states_)};
  Architecture architecture;
  for (size_t m = 0; m < mutables().size(); ++m) {
    const Mutable& choice = mutables()[m];
    for (const size_t state : anchors_[m]) {
      if (!walk.states[state].defined()) {
        step(walk);
        walk.states[state] = walk.hidden.back();
      }
    }
    step(walk);
    const at::Tensor hidden = walk.hidden.back();
    walk.states[m] = hidden;
    std::vector<at::Tensor> rows;
    for (const size_t state : anchors_[m]) {
      rows.push_back(walk.states[state]);
    }
    const at::Tensor anchors = rows.empty() ? at::Tensor() : at::cat(rows);
    const at::Tensor logits =
        rows.empty() ? candidate_logits(choice, hidden) : input_logits(anchors, hidden);
    const Decision decision = decide(choice, {logits, choice.n_chosen});
    const at::Tensor chosen = at::tensor(decision.chosen, at::kLong).to(start_.device());
    if (rows.empty()) {
      walk.input = heads_.at({choice.kind, choice.names}).embedding.index_select(0, chosen);
    } else {
      walk.input = anchors.index_select(0, chosen).sum(0, /*keepdim=*/true) /
                   static_cast<double>(1 + decision.chosen.size());
    }
    if (ends_scope_[m]) {
      step(walk);
      walk.states[mutables().size() + m] = walk.hidden.back();
    }
    architecture[choice.label] = decision;
  }
  return architecture;
}

void EnasMutator::step(Walk& walk) const {
  at::Tensor input = walk.input;
  for (size_t i = 0; i < lstm_.size(); ++i) {
    const auto& [of_input, of_hidden] = lstm_[i];
    std::tie(walk.hidden[i], walk.cell[i]) =
        at::lstm_cell(input, {walk.hidden[i], walk.cell[i]}, of_input, of_hidden);
    input = walk.hidden[i];
  }
}

at::Tensor EnasMutator::candidate_logits(const Mutable& choice, const at::Tensor& hidden) const {
  const Head& head = heads_.at({choice.kind, choice.names});
  const at::Tensor logits = bounded(at::linear(hidden, head.logits).squeeze(0));
  if (choice.kind != MutableKind::LayerChoice || !contains(choice.label, "reduce") ||
      options_.branch_bias == 0) {
    return logits;
  }
  std::vector<double> bias;
  for (const std::string& name : choice.names) {
    bias.push_back(contains(name, "conv") ? options_.branch_bias : -options_.branch_bias);
  }
  return logits + at::tensor(bias, at::kDouble).to(logits.options());
}

at::Tensor EnasMutator::input_logits(const at::Tensor& anchors, const at::Tensor& hidden) const {
  const at::Tensor keys = at::linear(anchors, attend_anchor_) + at::linear(hidden, attend_hidden_);
  return bounded(at::linear(keys.tanh(), attend_).squeeze(1));
}

at::Tensor EnasMutator::bounded(const at::Tensor& logits) const {
  const at::Tensor q = options_.temperature == 1 ? logits : logits / options_.temperature;
  return options_.tanh_constant == 0 ? q : options_.tanh_constant * q.tanh();
}

Json EnasMutator::state() const { return {{"random", random_.state()}}; }

void EnasMutator::load_state(const Json& state) { random_.set_state(state.at("random")); }

}  // namespace retia
