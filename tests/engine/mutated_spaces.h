#pragma once

#include <memory>

#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/space/space.h"

namespace retia {

/// x -> first -> second -> y of four features: two placeholders labelled `block`.
inline ir::Graph two_placeholders() {
  Builder net("blocks");
  Wire x = net.input("x", {4});
  for (const char* name : {"first", "second"}) {
    x = net.placeholder(name, {.label = "block", .parameters = {{"depths", {1, 2}}}, .shape = {4}},
                        {x});
  }
  net.output("y", x);
  return net.finish();
}

/// Each placeholder labelled `block` becomes one of three operations.
class Operations final : public GraphMutator {
 public:
  explicit Operations(const std::string& name = "op") : GraphMutator(name) {}
  void mutate(ir::Graph& graph, Sampler& sampler) const override {
    const std::vector<ir::Operation> candidates = {ops::linear({.out = 4}), ops::relu(),
                                                   ops::tanh()};
    for (const ir::NodeId node : graph.labelled("block")) {
      graph.update_operation(node, sampler.choice(candidates));
    }
  }
};

/// Each becomes as many linear layers as chosen, with or without a bias each: choices whose number
/// and meaning depend on earlier ones.
class Depths final : public GraphMutator {
 public:
  Depths() : GraphMutator("depth") {}
  void mutate(ir::Graph& graph, Sampler& sampler) const override {
    for (const ir::NodeId node : graph.labelled("block")) {
      const auto& placeholder = std::get<ir::Placeholder>(graph.node(node).body);
      const int64_t depth = sampler.choice(placeholder.parameters.at("depths").get<Sizes>());
      graph.update_operation(
          node, ir::write_cell("layers", {4}, [&](Builder& b, Wire x) {
            for (int64_t i = 0; i < depth; ++i) {
              x = b.add("layer" + std::to_string(i),
                        ops::linear({.out = 4, .bias = sampler.choice({true, false})}), {x});
            }
            return x;
          }));
    }
  }

 private:
  using Sizes = std::vector<int64_t>;
};

/// Asks for a candidate list that depends on the answer before, under a number or a name.
class Dependent final : public GraphMutator {
 public:
  Dependent() : GraphMutator("d") {}
  void mutate(ir::Graph& graph, Sampler& sampler) const override {
    const bool deep = sampler.choice({false, true});
    const int64_t n = deep ? sampler.choice({1, 2, 3}) : sampler.choice({4, 5});
    const bool last = deep && n == 3 && sampler.choice("only", std::vector<bool>{false, true});
    for (const ir::NodeId node : graph.labelled("block")) {
      graph.update_operation(node, last ? ops::tanh() : ops::relu());
    }
  }
};

inline ir::Space operations_space() {
  return {two_placeholders(), {std::make_shared<Operations>()}};
}

inline ir::Space dependent_space() { return {two_placeholders(), {std::make_shared<Dependent>()}}; }

inline ir::Space depths_space() { return {two_placeholders(), {std::make_shared<Depths>()}}; }

}  // namespace retia
