#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"
#include "retia/engine/mutables/input_choice.h"
#include "retia/engine/mutables/layer_choice.h"
#include "retia/engine/operations/shared_axes.h"

namespace retia {

/// The way in which graphs are run: primitive by primitive, or fused by passes. Both compute the
/// same up to rounding.
enum class Executor { Reference, Fused };

/// Returns the executor of the name "reference" or "fused". Throws on any other.
Executor executor_of(const std::string& name);

class ConvNormFusion;
class ElasticLayer;
class MixedOpFusion;
class Routine;

/// A candidate of a layer choice: a primitive or a nested graph.
struct Branch {
  std::string name;
  std::shared_ptr<Layer> layer;      ///< null: the candidate is a nested graph
  std::shared_ptr<Routine> routine;  ///< null: the candidate is a primitive
};

/// One node of a lowered graph with the module that runs it. Passes read the node and its shapes.
struct Step {
  ir::Node node;
  std::vector<size_t> inputs = {};  ///< indices of the steps whose values it reads
  std::vector<int64_t> shape = {};  ///< largest shape of its value, without the batch dimension
  std::optional<SharedAxes> channels = {};  ///< set where the number of channels is a choice
  std::shared_ptr<Layer> layer = {};
  std::shared_ptr<LayerChoiceImpl> layer_choice = {};
  std::vector<Branch> branches = {};  ///< candidates of the layer choice, in order
  std::shared_ptr<InputChoiceImpl> input_choice = {};
  /// The fused form of the layer choice; null: not fused.
  std::shared_ptr<MixedOpFusion> fusion = {};
  /// Fused choices at or after this step with the same input and stride (siblings): they run as one
  /// call.
  std::vector<size_t> edges = {};
  /// The step that adds the value of this fused choice to a sum and is its only reader; none: no
  /// step does both.
  std::optional<size_t> sum = {};
  /// The fused run of steps that ends in this step; null: none does.
  std::shared_ptr<ConvNormFusion> run = {};
};

/// Runs one lowered graph of primitives and choices. Cells that are candidates of layer choices
/// have routines of their own. Only steps that the current decisions need are executed; values are
/// dropped after their last use.
class Routine {
 public:
  /// Receives each module that the routine makes, with its path.
  using Register =
      std::function<void(const std::string& path, std::shared_ptr<torch::nn::Module> module)>;

  /// `inputs`: shapes of the graph's inputs. `choices`: value choices already made for the
  /// surrounding graphs. Throws one line that names the node where a size is a choice that weights
  /// cannot share.
  Routine(const ir::Graph& graph, const std::vector<Shape>& inputs, const std::string& prefix,
          const Register& register_module,
          std::shared_ptr<ValueChoices> choices = std::make_shared<ValueChoices>());

  /// Runs the graph on one tensor per input, `[batch, shape...]`; returns one tensor per output.
  std::vector<at::Tensor> run(at::TensorList inputs);

  /// Sets how the graph is run, also for nested routines; Reference by default.
  void set_executor(Executor executor);

  const std::vector<Step>& steps() const { return steps_; }
  /// Steps whose values are returned.
  const std::vector<size_t>& outputs() const { return output_steps_; }

 private:
  /// The steps that run under given decisions, in order, and the values to drop after each.
  struct Plan {
    struct Entry {
      size_t step;
      std::vector<size_t> drop;
      std::vector<int64_t> shape;  // shape of its value, without the batch dimension
    };
    std::vector<Entry> entries;
    std::set<size_t> steps;  // the steps of `entries`
  };

  /// The state of one forward pass.
  struct Pass {
    at::TensorList inputs;
    std::vector<at::Tensor> values;  // per step, its value
    // Per summing step, the partial sum of the inputs marked in is_summed.
    std::vector<at::Tensor> sums;
    std::vector<bool> is_summed;
  };

  Step make_step(const ir::Node& node, const std::map<ir::NodeId, Shape>& shapes,
                 const std::string& prefix, const Register& register_module);
  void make_layer_choice(Step& step, const ir::LayerChoice& choice, const std::vector<Shape>& read,
                         const std::string& path, const Register& register_module);
  std::shared_ptr<Layer> make_layer(const ir::Operation& operation, const std::vector<Shape>& read,
                                    const std::string& path, const Register& register_module);
  void follow_choices(ElasticLayer& layer, const ir::Operation& operation, const std::string& path,
                      const Register& register_module);
  Plan make_plan();
  const Plan& plan();
  std::vector<size_t> inputs_needed(const Step& step) const;
  void run_edges(const Step& first, const Plan& plan, Pass& pass);
  at::Tensor run_step(const Plan::Entry& entry, Pass& pass);
  at::Tensor run_conv_norm(const ConvNormFusion& fusion, at::Tensor& x);
  at::Tensor run_sum(size_t step, Pass& pass);

  std::vector<Step> steps_;
  std::vector<size_t> input_steps_;
  std::vector<size_t> output_steps_;
  std::shared_ptr<ValueChoices> choices_;       // of this graph and of the graphs around it
  ValueChoices sizes_;                          // the choices that decide sizes in this graph
  std::map<std::vector<int64_t>, Plan> plans_;  // key: what input choices and sizes_ have chosen
};

}  // namespace retia
