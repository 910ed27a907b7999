#include "retia/models/darts.h"

#include "retia/engine/operations/join.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/ops/sep_conv.h"

namespace retia {
namespace {

/// The eight operations of an edge, under the names that they have in darts_cnn.
std::vector<ir::Candidate> operations(int64_t stride) {
  return {{"none", ops::zero({.stride = stride})},
          {"max_pool_3x3", ops::max_pool2d({.stride = stride})},
          {"avg_pool_3x3", ops::avg_pool2d({.stride = stride})},
          {"skip_connect", stride == 1 ? ops::identity() : ops::factorized_reduce()},
          {"sep_conv_3x3", ops::sep_conv({.kernel = 3, .stride = stride})},
          {"sep_conv_5x5", ops::sep_conv({.kernel = 5, .stride = stride})},
          {"dil_conv_3x3", ops::dil_conv({.kernel = 3, .stride = stride})},
          {"dil_conv_5x5", ops::dil_conv({.kernel = 5, .stride = stride})}};
}

/// Edge `i-j` for each state i before node j.
std::vector<std::string> edge_names(size_t n_states, const std::string& node) {
  std::vector<std::string> names;
  for (size_t i = 0; i < n_states; ++i) {
    names.push_back(std::to_string(i) + "-" + node);
  }
  return names;
}

}  // namespace

DartsCell::DartsCell(std::string name)
    : GraphMutator(std::move(name)), plain_(operations(1)), strided_(operations(2)) {}

void DartsCell::mutate(ir::Graph& graph, Sampler& sampler) const {
  for (int64_t j = 2; !graph.labelled(name() + "/" + std::to_string(j)).empty(); ++j) {
    const std::string label = name() + "/" + std::to_string(j);
    for (const ir::NodeId id : graph.labelled(label)) {
      const ir::Node node = graph.node(id);
      const Json strides = std::get<ir::Placeholder>(node.body).parameters.at("strides");
      const std::vector<std::string> names = edge_names(node.inputs.size(), std::to_string(j));
      const std::string scope = node.name.substr(0, node.name.rfind('/') + 1);
      std::vector<Wire> edges;
      const Mutable edges_of_node = {.label = label,
                                     .kind = MutableKind::InputChoice,
                                     .names = names,
                                     .n_chosen = 2,
                                     .scope = name()};
      for (const int64_t i : sampler.decide(edges_of_node).chosen) {
        const auto at = static_cast<size_t>(i);
        const ir::Candidate chosen =
            sampler.choice(names[at], strides[at] == 1 ? plain_ : strided_);
        edges.push_back(graph.add(scope + names[at] + "/" + chosen.name,
                                  std::get<ir::Operation>(chosen.body), {node.inputs[at]}));
      }
      graph.update_operation(id, ops::add());
      graph.connect(id, edges);
    }
  }
}

ir::Space darts(const DartsBaseOptions& options, const Task& task) {
  return {darts_base(options, task),
          {std::make_shared<DartsCell>("normal"), std::make_shared<DartsCell>("reduce")}};
}

}  // namespace retia
