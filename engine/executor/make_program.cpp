#include "retia/engine/executor/make_program.h"

#include <algorithm>
#include <map>

#include "retia/engine/executor/instructions.h"
#include "retia/engine/executor/interpreter.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/symbolic/channels.h"

namespace retia::executor {
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

ValueInfo value_info(const std::string& name, const Shape& shape) {
  ValueInfo info{.name = name};
  for (const Dim& dim : shape) {
    info.shape.push_back(SharedAxis::channels(dim).largest());
  }
  if (!shape.empty() && !shape.front().decided()) {
    info.channels = std::make_shared<SharedAxes>(std::vector{SharedAxis::channels(shape.front())});
  }
  return info;
}

/// Makes the program of one graph.
class ProgramMaker {
 public:
  ProgramMaker(const ir::Graph& graph, const std::vector<Shape>& inputs, std::string prefix,
               const RegisterModule& register_module, std::shared_ptr<ValueChoices> choices)
      : graph_(graph),
        shapes_(ir::infer(graph, inputs)),
        prefix_(std::move(prefix)),
        register_(register_module),
        choices_(std::move(choices)) {}

  Program make() {
    for (const ir::Node& node : graph_.nodes()) {
      add(node);
    }
    for (const ir::Output& output : graph_.outputs()) {
      program_.outputs.push_back(values_.at(output.wire.node));
    }
    for (const ValueInfo& value : program_.values) {
      if (value.channels) {
        value.channels->follow(*choices_);
        program_.sizes.merge(choices_of(value.channels->labels(), *choices_));
      }
    }
    return std::move(program_);
  }

 private:
  void add(const ir::Node& node) {
    const std::string path = prefix_ + node.name;
    const Shape& made = shapes_.at(node.id);
    const Value value = program_.add(value_info(node.name, made));
    values_[node.id] = value;
    Instruction::Slot slot{.place = value, .outputs = {value}};
    for (const Wire wire : node.inputs) {
      slot.inputs.push_back(values_.at(wire.node));
    }
    const std::vector<Shape> read = ir::input_shapes(node, shapes_);
    ir::match(
        node.body, [&](const ir::Input&) { program_.inputs.push_back(value); },
        [&](const ir::Placeholder&) {
          TORCH_CHECK(false, "node '", path, "' is a placeholder: apply graph mutators first");
        },
        [&](const ir::Operation& operation) {
          program_.instructions.push_back(std::make_shared<LayerInstruction>(
              std::move(slot), operation, make_layer(operation, read, path, register_)));
        },
        [&](const ir::Cell&) {
          TORCH_CHECK(false, "node '", path, "' is a nested graph: lower the graph first");
        },
        [&](const ir::LayerChoice& choice) {
          program_.instructions.push_back(make_layer_choice(std::move(slot), choice, read, path));
        },
        [&](const ir::InputChoice& choice) {
          check_candidates(path, choice.label, read);
          program_.instructions.push_back(make_input_choice(std::move(slot), choice, node, path));
        });
    check_shape(path, made);
  }

  InstructionPtr make_input_choice(Instruction::Slot slot, const ir::InputChoice& choice,
                                   const ir::Node& node, const std::string& path) {
    const InputChoice module(
        InputChoiceModuleOptions{.n_candidates = static_cast<int64_t>(node.inputs.size()),
                                 .n_chosen = choice.n_chosen,
                                 .reduction = choice.reduction,
                                 .label = choice.label,
                                 .names = choice.names,
                                 .fed_by = ir::fed_by(graph_, node),
                                 .kind = choice.kind});
    register_(path, module.ptr());
    return std::make_shared<InputChoiceInstruction>(std::move(slot), module.ptr(),
                                                    program_.values.back());
  }

  InstructionPtr make_layer_choice(Instruction::Slot slot, const ir::LayerChoice& choice,
                                   const std::vector<Shape>& read, const std::string& path) {
    // The choice itself is registered before what is in it: mutables are listed outer before inner.
    std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>> inside;
    const RegisterModule keep = [&inside](const std::string& name,
                                          std::shared_ptr<torch::nn::Module> module) {
      inside.emplace_back(name, std::move(module));
    };
    std::vector<Shape> made;
    for (const ir::Candidate& candidate : choice.candidates) {
      made.push_back(ir::infer(candidate.body, read));
    }
    check_candidates(path, choice.label, made);
    std::vector<NamedCandidate> candidates;
    std::vector<Branch> branches;
    for (size_t k = 0; k < choice.candidates.size(); ++k) {
      const auto& [name, body] = choice.candidates[k];
      const std::string inner = path + "/" + name;
      ir::match(
          body,
          [&, &name = name, &shape = made[k]](const ir::Operation& primitive) {
            const auto layer = make_layer(primitive, read, inner, keep);
            candidates.emplace_back(
                name, [layer](at::TensorList inputs) { return layer->forward(inputs); },
                layer->always_zero());
            branches.push_back({name, program_of(primitive, layer, read, shape), nullptr});
          },
          [&, &name = name](const ir::Cell& cell) {
            Program program = make_program(cell.graph(), read, inner + "/", keep, choices_);
            const auto interpreter = std::make_shared<Interpreter>(program);
            candidates.emplace_back(
                name,
                [interpreter](at::TensorList inputs) { return interpreter->run(inputs).front(); },
                false);
            branches.push_back({name, std::move(program), interpreter});
          });
    }
    const auto module = LayerChoice(std::move(candidates), choice.label).ptr();
    register_(path, module);
    for (auto& [name, part] : inside) {
      register_(name, std::move(part));
    }
    return std::make_shared<LayerChoiceInstruction>(std::move(slot), module, std::move(branches));
  }

  /// Makes the program of a candidate that is a primitive.
  static Program program_of(const ir::Operation& primitive, const std::shared_ptr<Layer>& layer,
                            const std::vector<Shape>& read, const Shape& made) {
    Program program;
    for (const Shape& shape : read) {
      program.inputs.push_back(program.add(value_info("x", shape)));
    }
    program.outputs = {program.add(value_info("y", made))};
    program.instructions = {std::make_shared<LayerInstruction>(
        Instruction::Slot{program.outputs.front(), program.inputs, program.outputs}, primitive,
        layer)};
    return program;
  }

  std::shared_ptr<Layer> make_layer(const ir::Operation& operation, const std::vector<Shape>& read,
                                    const std::string& path, const RegisterModule& keep) {
    return ir::in_context("node '" + path + "'", [&] {
      auto layer = operation.kind().make(operation.parameters(), read);
      if (const auto elastic = std::dynamic_pointer_cast<ElasticLayer>(layer)) {
        follow_choices(*elastic, operation, path, keep);
      }
      keep(path, layer);
      return layer;
    });
  }

  void follow_choices(ElasticLayer& layer, const ir::Operation& operation, const std::string& path,
                      const RegisterModule& keep) {
    operation.visit_choices([&](const std::string& label, const std::vector<std::string>& names) {
      if (choices_->count(label) == 0) {
        std::string name = "value_choice:" + label;
        std::replace(name.begin(), name.end(), '/', ':');
        const std::string scope = scope_of(path);
        const auto choice = std::make_shared<ValueChoiceModule>(label, names);
        keep(scope.empty() ? name : scope + "/" + name, choice);
        choices_->emplace(label, choice);
      }
    });
    layer.follow(*choices_);
  }

  const ir::Graph& graph_;
  const std::map<ir::NodeId, Shape> shapes_;
  std::string prefix_;
  const RegisterModule& register_;
  std::shared_ptr<ValueChoices> choices_;  // of this graph and of the graphs around it
  Program program_;
  std::map<ir::NodeId, Value> values_;
};

}  // namespace

Program make_program(const ir::Graph& lowered, const std::vector<Shape>& inputs,
                     const std::string& prefix, const RegisterModule& register_module,
                     const std::shared_ptr<ValueChoices>& choices) {
  return ProgramMaker(lowered, inputs, prefix, register_module, choices).make();
}

}  // namespace retia::executor
