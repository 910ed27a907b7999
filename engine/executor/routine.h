#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/ir/graph.h"
#include "engine/mutables/input_choice.h"
#include "engine/mutables/layer_choice.h"
#include "engine/operations/shared_axes.h"

namespace retia {

/// How graphs are run: by the primitives as they are, or by passes that fuse them. Both compute the
/// same up to rounding.
enum class Executor { Reference, Fused };

/// "reference" or "fused"; throws otherwise.
Executor executor_of(const std::string& name);

class ConvNormFusion;
class ElasticLayer;
class MixedOpFusion;
class Routine;

/// One candidate of a layer choice: a primitive, or a graph of them.
struct Branch {
  std::string name;
  std::shared_ptr<Layer> layer;      ///< null: a graph
  std::shared_ptr<Routine> routine;  ///< null: a primitive
};

/// One node of a lowered graph with the module that runs it. Passes read the node and its shapes.
struct Step {
  ir::Node node;
  std::vector<size_t> inputs;          ///< the steps it reads
  std::vector<int64_t> shape;          ///< of what it makes at most, without the batch
  std::optional<SharedAxes> channels;  ///< where its first size is a choice
  std::shared_ptr<Layer> layer;
  std::shared_ptr<LayerChoiceImpl> layer_choice;
  std::vector<Branch> branches;  ///< of the layer choice, in the order of its candidates
  std::shared_ptr<InputChoiceImpl> input_choice;
  std::shared_ptr<MixedOpFusion> fusion;  ///< of the layer choice; null where nothing is fused
  std::vector<size_t> edges;  ///< from this one on, fused choices of one input and stride
  std::optional<size_t> sum;  ///< of a fused choice the step that adds it and alone reads it
  std::shared_ptr<ConvNormFusion> run;  ///< that ends in this step; null where it is none's last
};

/// Runs one lowered graph of primitives and choices. The cells of layer choices have routines of
/// their own. Only what the current decisions need is executed; values are dropped after their last
/// use.
class Routine {
 public:
  /// Takes each module that the routine makes, with the path that names it.
  using Register =
      std::function<void(const std::string& path, std::shared_ptr<torch::nn::Module> module)>;

  /// `inputs`: shapes of the graph's inputs; `choices`: those that were made for the graphs around.
  /// Throws one line that names the node where a size is a choice that weights cannot share.
  Routine(const ir::Graph& graph, const std::vector<Shape>& inputs, const std::string& prefix,
          const Register& register_module,
          std::shared_ptr<ValueChoices> choices = std::make_shared<ValueChoices>());

  /// One tensor per input of the graph, `[batch, shape...]`; one per output comes back.
  std::vector<at::Tensor> run(at::TensorList inputs);

  /// Reference from the start; holds for the routines inside too.
  void set_executor(Executor executor);

  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<size_t>& outputs() const { return output_steps_; }  ///< steps that make them

 private:
  /// Which steps run under some decisions, in order, and which values go after each.
  struct Plan {
    struct Entry {
      size_t step;
      std::vector<size_t> drop;
      std::vector<int64_t> shape;  // of what it makes, without the batch
    };
    std::vector<Entry> entries;
    std::set<size_t> steps;  // of the entries
  };

  /// What a pass has made so far.
  struct Pass {
    at::TensorList inputs;
    std::vector<at::Tensor> values;  // of steps
    std::vector<at::Tensor> sums;    // of steps that add, of those inputs that are marked
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
  std::shared_ptr<ValueChoices> choices_;       // of this graph and of those around it
  ValueChoices sizes_;                          // those that decide sizes here
  std::map<std::vector<int64_t>, Plan> plans_;  // by what input choices and sizes_ have chosen
};

}  // namespace retia
