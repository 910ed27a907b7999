#include "retia/models/ops/cell.h"

#include "retia/engine/operations/join.h"
#include "retia/models/ops/loose_ends.h"

namespace retia {
namespace {

class CellWriter {
 public:
  CellWriter(Builder& b, std::string label, std::vector<Wire> predecessors,
             const CellOptions& options)
      : b_(b),
        label_(std::move(label)),
        options_(options),
        n_predecessors_(predecessors.size()),
        states_(std::move(predecessors)) {}

  Wire write() {
    for (int64_t i = 0; i < options_.nodes; ++i) {
      states_.push_back(node(static_cast<int64_t>(states_.size())));
    }
    const std::vector<Wire> nodes(states_.begin() + static_cast<int64_t>(n_predecessors_),
                                  states_.end());
    return options_.merge == Merge::All ? b_.add("concat", ops::concat(), nodes)
                                        : b_.add("concat", ops::loose_ends({loose()}), nodes);
  }

 private:
  Wire node(int64_t i) {
    std::vector<Wire> operands;
    for (int64_t k = 0; k < options_.ops_per_node; ++k) {
      operands.push_back(operand(i, k));
    }
    return operands.size() == 1 ? operands.front()
                                : b_.add("sum_" + std::to_string(i), ops::add(), operands);
  }

  Wire operand(int64_t i, int64_t k) {
    const std::string place = std::to_string(i) + "_" + std::to_string(k);
    const std::string op = "op_" + place;
    const auto choose_input = [&](const std::vector<Wire>& of) {
      std::vector<std::string> names;
      for (size_t j = 0; j < of.size(); ++j) {
        names.push_back(std::to_string(j));
      }
      const std::string name = "input_" + place;
      inputs_.push_back(Expression::choice(label_ + "/" + name, options_of(names.size())));
      return b_.input_choice(name, of, {.names = names});
    };
    if (options_.ops_for == OpsFor::AnyInput) {
      const Wire input = choose_input(states_);
      return b_.layer_choice(op, options_.candidates({i, k, std::nullopt}), {input});
    }
    std::vector<Wire> edges;
    for (size_t j = 0; j < states_.size(); ++j) {
      const auto input = static_cast<int64_t>(j);
      edges.push_back(b_.layer_choice(op + "/" + std::to_string(j),
                                      options_.candidates({i, k, input}), {states_[j]},
                                      {.label = label_ + "/" + op}));
    }
    return choose_input(edges);
  }

  using Expression = ir::Expression;

  /// The states that an input choice of `n` decides between.
  static std::vector<Expression> options_of(size_t n) {
    std::vector<Expression> options;
    for (size_t j = 0; j < n; ++j) {
      options.emplace_back(Json(j));
    }
    return options;
  }

  /// Returns, for each node, whether no operation reads it.
  std::vector<ir::Parameter<bool>> loose() const {
    std::vector<ir::Parameter<bool>> result;
    for (size_t state = n_predecessors_; state < states_.size(); ++state) {
      Expression loose(Json(true));
      for (size_t reader = 0; reader < inputs_.size(); ++reader) {
        const size_t n_read = n_predecessors_ + reader / static_cast<size_t>(options_.ops_per_node);
        if (state < n_read) {
          loose = condition(is_equal(inputs_[reader], static_cast<int64_t>(state)), false, loose);
        }
      }
      result.emplace_back(loose);
    }
    return result;
  }

  Builder& b_;
  std::string label_;
  const CellOptions& options_;
  size_t n_predecessors_;
  std::vector<Wire> states_;
  std::vector<Expression> inputs_;  // which state each operation reads, in order
};

}  // namespace

Wire cell(Builder& b, const std::string& name, const std::string& label, std::vector<Wire> inputs,
          const CellOptions& options) {
  TORCH_CHECK(options.nodes >= 1 && options.ops_per_node >= 1, "cell '", name,
              "': nodes and ops_per_node must be at least 1, got ", options.nodes, " and ",
              options.ops_per_node);
  TORCH_CHECK(options.candidates != nullptr, "cell '", name, "' needs candidates to choose from");
  const auto scope = b.scope(name);
  if (options.preprocess) {
    inputs = options.preprocess(b, std::move(inputs));
  }
  TORCH_CHECK(!inputs.empty(), "cell '", name, "' needs at least one predecessor");
  const auto labels = b.label_scope(label);
  const Wire made = CellWriter(b, label, std::move(inputs), options).write();
  return options.postprocess ? options.postprocess(b, made) : made;
}

}  // namespace retia
