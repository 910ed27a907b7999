#include "retia/engine/executor/routine.h"

#include <algorithm>

#include "retia/engine/base_mutator.h"
#include "retia/engine/executor/conv_norm_fusion.h"
#include "retia/engine/executor/mixed_op_fusion.h"
#include "retia/engine/ir/channels.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

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
    step.fusion = nullptr;
    step.edges.clear();
    step.sum.reset();
    step.run = nullptr;
    for (const Branch& branch : step.branches) {
      if (branch.routine) {
        branch.routine->set_executor(executor);
      }
    }
  }
  if (executor == Executor::Fused) {
    MixedOpFusion::fuse(steps_, output_steps_);
    ConvNormFusion::fuse(steps_, output_steps_);
  }
  plans_.clear();
}

Step Routine::make_step(const ir::Node& node, const std::map<ir::NodeId, Shape>& shapes,
                        const std::string& prefix, const Register& register_module) {
  const std::string path = prefix + node.name;
  const std::vector<Shape> read = ir::input_shapes(node, shapes);
  const Shape& made = shapes.at(node.id);
  Step step{.node = node};
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
      const std::string scope = scope_of(path);
      const auto choice = std::make_shared<ValueChoiceModule>(label, names);
      register_module(scope.empty() ? name : scope + "/" + name, choice);
      choices_->emplace(label, choice);
    }
  });
  layer.follow(*choices_);
}

}  // namespace retia
