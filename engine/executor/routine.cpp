#include "engine/executor/routine.h"

#include <ATen/ops/unsafe_split_with_sizes.h>

#include <algorithm>
#include <set>
#include <typeinfo>

#include "engine/base_mutator.h"
#include "engine/executor/conv_norm_fusion.h"
#include "engine/executor/mixed_op_fusion.h"
#include "engine/ir/channels.h"
#include "engine/ir/infer.h"
#include "engine/operations/elastic_layer.h"
#include "engine/operations/primitive.h"
#include "engine/operations/split_layer.h"
#include "kernels/autocast.h"

namespace retia {
namespace {

constexpr size_t kMostPlans = 256;

// What ends each choice's part of a plan's key; no index is negative.
constexpr int64_t kEndOfChoice = -1;
constexpr int64_t kAllNeeded = -2;

constexpr const char* kByTrials = "explore such a space by trials (retia explore)";

/// Throws where what `node` makes is not of one size but for its channels.
void check_shape(const std::string& path, const Shape& shape) {
  for (size_t d = 1; d < shape.size(); ++d) {
    TORCH_CHECK(shape[d].decided(), "node '", path, "' makes ", ir::to_string(shape),
                ", of which only the first size may be a choice in a supernet: keep the others "
                "equal, e.g. by odd kernels with padding -1, or ",
                kByTrials);
  }
}

/// Throws unless the candidates of a choice make the same channels, cut in the same places.
void check_candidates(const std::string& path, const std::string& label,
                      const std::vector<Shape>& made) {
  for (const Shape& shape : made) {
    const bool same = shape.empty() || (always_equal(shape, made.front()) &&
                                        ir::same_parts(shape[0], made.front()[0]));
    TORCH_CHECK(same, "node '", path, "' chooses by '", label, "' between ",
                ir::to_string(made.front()), " and ", ir::to_string(shape),
                ": a supernet shares weights between candidates of one shape; let one value choice "
                "decide both sizes, or ",
                kByTrials);
  }
}

/// x as fused operations take it.
at::Tensor read_by_fusion(const at::Tensor& x) {
  return kernels::autocast(x).contiguous(at::MemoryFormat::ChannelsLast);
}

std::string scope_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
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

Executor executor_of(const std::string& name) {
  TORCH_CHECK(name == "reference" || name == "fused",
              "expected the executor reference or fused, got '", name, "'");
  return name == "fused" ? Executor::Fused : Executor::Reference;
}

Routine::Routine(const ir::Graph& graph, const std::vector<Shape>& inputs,
                 const std::string& prefix, const Register& register_module,
                 std::shared_ptr<ValueChoices> choices)
    : choices_(std::move(choices)) {
  const std::map<ir::NodeId, Shape> shapes = ir::infer(graph, inputs);
  std::map<ir::NodeId, size_t> positions;
  for (const ir::Node& node : graph.nodes()) {
    const size_t position = steps_.size();
    if (std::holds_alternative<ir::Input>(node.body)) {
      input_steps_.push_back(position);
    }
    steps_.push_back(make_step(node, shapes, prefix, register_module));
    for (const Wire wire : node.inputs) {
      steps_.back().inputs.push_back(positions.at(wire.node));
    }
    if (const auto* choice = std::get_if<ir::InputChoice>(&node.body)) {
      steps_.back().input_choice =
          InputChoice(
              InputChoiceModuleOptions{.n_candidates = static_cast<int64_t>(node.inputs.size()),
                                       .n_chosen = choice->n_chosen,
                                       .reduction = choice->reduction,
                                       .label = choice->label,
                                       .names = choice->names,
                                       .fed_by = ir::fed_by(graph, node),
                                       .kind = choice->kind})
              .ptr();
      register_module(prefix + node.name, steps_.back().input_choice);
    }
    positions[node.id] = position;
  }
  for (const ir::Output& output : graph.outputs()) {
    output_steps_.push_back(positions.at(output.wire.node));
  }
  for (Step& step : steps_) {
    if (step.channels) {
      step.channels->follow(*choices_);
      sizes_.merge(choices_of(step.channels->labels(), *choices_));
    }
  }
}

void Routine::set_executor(Executor executor) {
  for (Step& step : steps_) {
    step.fusion = executor == Executor::Fused ? MixedOpFusion::of(step) : nullptr;
    step.run = nullptr;
    for (const Branch& branch : step.branches) {
      if (branch.routine) {
        branch.routine->set_executor(executor);
      }
    }
  }
  if (executor == Executor::Fused) {
    ConvNormFusion::fuse(steps_, output_steps_);
  }
  plans_.clear();
}

Step Routine::make_step(const ir::Node& node, const std::map<ir::NodeId, Shape>& shapes,
                        const std::string& prefix, const Register& register_module) {
  const std::string path = prefix + node.name;
  const std::vector<Shape> read = ir::input_shapes(node, shapes);
  const Shape& made = shapes.at(node.id);
  Step step{node, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  for (const Dim& dim : made) {
    step.shape.push_back(SharedAxis::channels(dim).largest());
  }
  if (!made.empty() && !made.front().decided()) {
    step.channels.emplace(std::vector{SharedAxis::channels(made.front())});
  }
  if (const auto* operation = std::get_if<ir::Operation>(&node.body)) {
    step.layer = make_layer(*operation, read, path, register_module);
  } else if (const auto* choice = std::get_if<ir::LayerChoice>(&node.body)) {
    make_layer_choice(step, *choice, read, path, register_module);
  } else if (const auto* input_choice = std::get_if<ir::InputChoice>(&node.body)) {
    check_candidates(path, input_choice->label, read);
  } else {
    TORCH_CHECK(!std::holds_alternative<ir::Placeholder>(node.body), "node '", path,
                "' is a placeholder: apply graph mutators first");
  }
  check_shape(path, made);
  return step;
}

void Routine::make_layer_choice(Step& step, const ir::LayerChoice& choice,
                                const std::vector<Shape>& read, const std::string& path,
                                const Register& register_module) {
  // The choice itself is registered before what is in it: mutables are listed outer before inner.
  std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>> inside;
  const Register keep = [&inside](const std::string& name,
                                  std::shared_ptr<torch::nn::Module> module) {
    inside.emplace_back(name, std::move(module));
  };
  std::vector<NamedCandidate> candidates;
  std::vector<Shape> made;
  for (const ir::Candidate& candidate : choice.candidates) {
    made.push_back(ir::infer(candidate.body, read));
  }
  check_candidates(path, choice.label, made);
  for (const ir::Candidate& candidate : choice.candidates) {
    Branch branch{candidate.name, nullptr, nullptr};
    const std::string inner = path + "/" + candidate.name;
    if (const auto* primitive = std::get_if<ir::Operation>(&candidate.body)) {
      branch.layer = make_layer(*primitive, read, inner, keep);
      candidates.emplace_back(
          candidate.name,
          [layer = branch.layer](at::TensorList inputs) { return layer->forward(inputs); },
          branch.layer->always_zero());
    } else {
      branch.routine = std::make_shared<Routine>(std::get<ir::Cell>(candidate.body).graph(), read,
                                                 inner + "/", keep, choices_);
      candidates.emplace_back(
          candidate.name,
          [routine = branch.routine](at::TensorList inputs) {
            return routine->run(inputs).front();
          },
          false);
    }
    step.branches.push_back(std::move(branch));
  }
  step.layer_choice = LayerChoice(std::move(candidates), choice.label).ptr();
  register_module(path, step.layer_choice);
  for (auto& [name, module] : inside) {
    register_module(name, std::move(module));
  }
}

std::shared_ptr<Layer> Routine::make_layer(const ir::Operation& operation,
                                           const std::vector<Shape>& read, const std::string& path,
                                           const Register& register_module) {
  return ir::in_context("node '" + path + "'", [&] {
    auto layer = operation.kind().make(operation.parameters(), read);
    if (const auto elastic = std::dynamic_pointer_cast<ElasticLayer>(layer)) {
      follow_choices(*elastic, operation, path, register_module);
    }
    register_module(path, layer);
    return layer;
  });
}

void Routine::follow_choices(ElasticLayer& layer, const ir::Operation& operation,
                             const std::string& path, const Register& register_module) {
  operation.visit_choices([&](const std::string& label, const std::vector<std::string>& names) {
    if (choices_->count(label) == 0) {
      std::string name = "value_choice:" + label;
      std::replace(name.begin(), name.end(), '/', ':');
      const auto choice = std::make_shared<ValueChoiceModule>(label, names);
      register_module(scope_of(path) + name, choice);
      choices_->emplace(label, choice);
    }
  });
  layer.follow(*choices_);
}

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
  std::vector<at::Tensor> values(steps_.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[input_steps_[i]] = inputs[i];
  }
  for (const Plan::Entry& entry : plan().entries) {
    if (!values[entry.step].defined() && split_of(steps_[entry.step]) != nullptr) {
      cut(steps_, entry.step, values);
    } else if (!values[entry.step].defined()) {
      values[entry.step] = run_step(entry, values, inputs);
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

at::Tensor Routine::run_layer_choice(const Step& step, at::Tensor& x) {
  const Verdict* verdict = step.fusion ? verdict_of(*step.layer_choice) : nullptr;
  if (verdict == nullptr || !step.fusion->takes(*verdict, x)) {
    return step.layer_choice->forward({x});
  }
  x = read_by_fusion(x);  // once for all who read it
  return step.fusion->run(*step.layer_choice, *verdict, x);
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

at::Tensor Routine::run_step(const Plan::Entry& entry, std::vector<at::Tensor>& values,
                             at::TensorList inputs) {
  const Step& step = steps_[entry.step];
  if (step.run) {
    return run_conv_norm(*step.run, values[step.run->input()]);
  }
  if (step.layer_choice && step.inputs.size() == 1) {
    return run_layer_choice(step, values[step.inputs.front()]);
  }
  std::vector<at::Tensor> read;
  for (const size_t input : step.inputs) {
    read.push_back(values[input]);
  }
  if (step.layer) {
    return step.layer->forward(read);
  }
  if (step.layer_choice) {
    return step.layer_choice->forward(read);
  }
  const Verdict* verdict = verdict_of(step);
  if (verdict != nullptr && verdict->chosen.empty()) {
    std::vector<int64_t> sizes = {inputs[0].size(0)};
    sizes.insert(sizes.end(), entry.shape.begin(), entry.shape.end());
    return inputs[0].new_zeros(sizes);
  }
  return step.input_choice->forward(read);
}

}  // namespace retia
