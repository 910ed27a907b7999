// How a routine runs; routine.cpp makes it.
#include <ATen/TensorOperators.h>
#include <ATen/ops/unsafe_split_with_sizes.h>

#include <typeinfo>

#include "retia/engine/base_mutator.h"
#include "retia/engine/executor/conv_norm_fusion.h"
#include "retia/engine/executor/mixed_op_fusion.h"
#include "retia/engine/executor/routine.h"
#include "retia/engine/operations/split_layer.h"
#include "retia/kernels/autocast.h"

namespace retia {
namespace {

constexpr size_t kMostPlans = 256;

// What ends each choice's part of a plan's key; no index is negative.
constexpr int64_t kEndOfChoice = -1;
constexpr int64_t kAllNeeded = -2;

/// Returns x in the dtype and layout that fused operations take.
at::Tensor read_by_fusion(const at::Tensor& x) {
  return kernels::autocast(x).contiguous(at::MemoryFormat::ChannelsLast);
}

template <class Choice>
const Verdict* verdict_of(Choice& choice) {
  return choice.mutator().verdict(choice.info());
}

const Verdict* verdict_of(const Step& step) { return verdict_of(*step.input_choice); }

const SplitLayer* split_of(const Step& step) {
  const Layer* layer = step.layer.get();
  return layer != nullptr && typeid(*layer) == typeid(SplitLayer)
             ? static_cast<const SplitLayer*>(layer)
             : nullptr;
}

/// Makes what `first`, a split, makes and, where they do not overlap, what all other splits of its
/// input make: cut at once, they make one gradient of it, where parts taken one by one make one of
/// the whole size each.
void cut(const std::vector<Step>& steps, size_t first, std::vector<at::Tensor>& values) {
  std::map<int64_t, size_t> parts;  // by the channel where they begin
  bool overlap = false;
  for (size_t i = first; i < steps.size(); ++i) {
    const SplitLayer* split = split_of(steps[i]);
    if (split != nullptr && steps[i].inputs == steps[first].inputs) {
      overlap = !parts.emplace(split->begin(), i).second || overlap;
    }
  }
  const at::Tensor& x = values[steps[first].inputs.front()];
  std::vector<int64_t> sizes;
  std::vector<size_t> cuts;  // per size the step; steps.size(): none
  int64_t end = 0;
  for (const auto& [begin, i] : parts) {
    overlap = overlap || begin < end;
    if (begin > end) {
      sizes.push_back(begin - end);
      cuts.push_back(steps.size());
    }
    sizes.push_back(split_of(steps[i])->size());
    cuts.push_back(i);
    end = begin + sizes.back();
  }
  if (overlap || parts.size() == 1) {
    values[first] = steps[first].layer->forward({x});
    return;
  }
  if (end < x.size(1)) {
    sizes.push_back(x.size(1) - end);
    cuts.push_back(steps.size());
  }
  const std::vector<at::Tensor> made = at::unsafe_split_with_sizes(x, sizes, 1);
  for (size_t k = 0; k < made.size(); ++k) {
    if (cuts[k] < steps.size()) {
      values[cuts[k]] = made[k];
    }
  }
}

}  // namespace

std::vector<size_t> Routine::inputs_needed(const Step& step) const {
  if (step.run) {
    return {step.run->input()};
  }
  const Verdict* verdict = step.input_choice ? verdict_of(step) : nullptr;
  if (verdict == nullptr) {
    return step.inputs;
  }
  std::vector<size_t> chosen;
  for (const int64_t index : verdict->chosen) {
    chosen.push_back(step.inputs.at(static_cast<size_t>(index)));
  }
  return chosen;
}

Routine::Plan Routine::make_plan() {
  std::set<size_t> needed(output_steps_.begin(), output_steps_.end());
  std::vector<std::vector<size_t>> drops(steps_.size());
  for (size_t i = steps_.size(); i-- > 0;) {
    if (needed.count(i) == 0) {
      continue;
    }
    for (const size_t input : inputs_needed(steps_[i])) {
      if (needed.insert(input).second) {
        drops[i].push_back(input);  // going backwards, the first reader met is the last to run
      }
    }
  }
  Plan plan;
  plan.steps = needed;
  for (const size_t i : needed) {
    plan.entries.push_back({i, drops[i], steps_[i].shape});
    if (steps_[i].channels) {
      plan.entries.back().shape.front() = steps_[i].channels->sizes().front();
    }
  }
  return plan;
}

const Routine::Plan& Routine::plan() {
  std::vector<int64_t> key = chosen_by(sizes_);
  for (const Step& step : steps_) {
    if (step.input_choice) {
      const Verdict* verdict = verdict_of(step);
      if (verdict != nullptr) {
        key.insert(key.end(), verdict->chosen.begin(), verdict->chosen.end());
      }
      key.push_back(verdict != nullptr ? kEndOfChoice : kAllNeeded);
    }
  }
  const auto found = plans_.find(key);
  if (found != plans_.end()) {
    return found->second;
  }
  if (plans_.size() >= kMostPlans) {
    plans_.clear();
  }
  return plans_.emplace(std::move(key), make_plan()).first->second;
}

std::vector<at::Tensor> Routine::run(at::TensorList inputs) {
  TORCH_CHECK(inputs.size() == input_steps_.size(), "expected ", input_steps_.size(),
              " inputs, got ", inputs.size());
  Pass pass{inputs, std::vector<at::Tensor>(steps_.size()), std::vector<at::Tensor>(steps_.size()),
            std::vector<bool>(steps_.size())};
  std::vector<at::Tensor>& values = pass.values;
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[input_steps_[i]] = inputs[i];
  }
  const Plan& now = plan();
  for (const Plan::Entry& entry : now.entries) {
    const size_t i = entry.step;
    const auto is_made = [&] { return values[i].defined() || pass.is_summed[i]; };
    if (!is_made() && split_of(steps_[i]) != nullptr) {
      cut(steps_, i, values);
    } else if (!is_made() && steps_[i].fusion) {
      run_edges(steps_[i], now, pass);
    }
    if (!is_made()) {
      values[i] = run_step(entry, pass);
    }
    for (const size_t used : entry.drop) {
      values[used].reset();
    }
  }
  std::vector<at::Tensor> outputs;
  for (const size_t output : output_steps_) {
    outputs.push_back(values[output]);
  }
  return outputs;
}

void Routine::run_edges(const Step& first, const Plan& plan, Pass& pass) {
  at::Tensor& x = pass.values[first.inputs.front()];
  const auto adds = [&](size_t sum) {
    const Verdict* const verdict =
        steps_[sum].input_choice ? verdict_of(*steps_[sum].input_choice) : nullptr;
    return !steps_[sum].input_choice || (verdict != nullptr && !verdict->weights.defined());
  };
  std::vector<size_t> together;
  std::vector<MixedOpFusion::Edge> edges;
  for (const size_t i : first.edges) {
    const Step& step = steps_[i];
    const bool is_due = plan.steps.count(i) > 0 && !pass.values[i].defined() && !pass.is_summed[i];
    const Verdict* const verdict = is_due ? verdict_of(*step.layer_choice) : nullptr;
    if (verdict == nullptr || !step.fusion->takes(*verdict, x)) {
      continue;
    }
    MixedOpFusion::Edge edge{*step.fusion, *step.layer_choice, *verdict, {}};
    if (!edges.empty() && !MixedOpFusion::run_together(edges.front(), edge)) {
      continue;
    }
    if (step.sum && adds(*step.sum)) {
      pass.is_summed[i] = true;
      edge.onto = std::move(pass.sums[*step.sum]);
    }
    together.push_back(i);
    edges.push_back(std::move(edge));
  }
  if (edges.empty()) {
    return;
  }
  x = read_by_fusion(x);  // once for all who read it
  const std::vector<at::Tensor> made = MixedOpFusion::run(edges, x);
  for (size_t k = 0; k < made.size(); ++k) {
    const size_t i = together[k];
    at::Tensor& to = pass.is_summed[i] ? pass.sums[*steps_[i].sum] : pass.values[i];
    to = to.defined() ? to + made[k] : made[k];  // where two edges join the same nodes
  }
}

at::Tensor Routine::run_sum(size_t step, Pass& pass) {
  at::Tensor sum = std::move(pass.sums[step]);
  for (const size_t input : inputs_needed(steps_[step])) {
    if (!pass.is_summed[input]) {
      sum = sum + pass.values[input];
    }
  }
  return sum;
}

at::Tensor Routine::run_conv_norm(const ConvNormFusion& fusion, at::Tensor& x) {
  if (fusion.takes(x)) {
    x = read_by_fusion(x);  // once for all who read it
    return fusion.run(x);
  }
  std::map<size_t, at::Tensor> made = {{fusion.input(), x}};
  for (const size_t step : fusion.steps()) {
    std::vector<at::Tensor> read;
    for (const size_t input : steps_[step].inputs) {
      read.push_back(made.at(input));
    }
    made[step] = steps_[step].layer->forward(read);
  }
  return made.at(fusion.steps().back());
}

at::Tensor Routine::run_step(const Plan::Entry& entry, Pass& pass) {
  const Step& step = steps_[entry.step];
  if (step.run) {
    return run_conv_norm(*step.run, pass.values[step.run->input()]);
  }
  if (pass.sums[entry.step].defined()) {
    return run_sum(entry.step, pass);
  }
  std::vector<at::Tensor> read;
  for (const size_t input : step.inputs) {
    read.push_back(pass.values[input]);
  }
  if (step.layer) {
    return step.layer->forward(read);
  }
  if (step.layer_choice) {
    return step.layer_choice->forward(read);
  }
  const Verdict* verdict = verdict_of(step);
  if (verdict != nullptr && verdict->chosen.empty()) {
    std::vector<int64_t> sizes = {pass.inputs[0].size(0)};
    sizes.insert(sizes.end(), entry.shape.begin(), entry.shape.end());
    return pass.inputs[0].new_zeros(sizes);
  }
  return step.input_choice->forward(read);
}

}  // namespace retia
