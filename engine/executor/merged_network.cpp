#include "retia/engine/executor/merged_network.h"

#include <map>

#include "retia/engine/ir/infer.h"
#include "retia/engine/mutables/mutable_module.h"

namespace retia {
namespace {

/// The shapes that a graph reads and makes.
std::vector<Shape> border(const ir::Graph& graph) {
  std::vector<Shape> shapes;
  for (const ir::Node* input : graph.inputs()) {
    shapes.push_back(std::get<ir::Input>(input->body).shape);
  }
  const auto all = ir::infer(graph);
  for (const ir::Output& output : graph.outputs()) {
    shapes.push_back(all.at(output.wire.node));
  }
  return shapes;
}

bool is_settled(const Network& network) {
  for (const auto& module : network->modules()) {
    if (std::dynamic_pointer_cast<MutableModule>(module) ||
        std::dynamic_pointer_cast<StochasticLayer>(module)) {
      return false;
    }
  }
  return true;
}

ir::MergedGraph merged(std::span<const Network> members, int64_t most_channels) {
  TORCH_CHECK(can_merge(members), "these models cannot be merged: they must read and make the ",
              "same shapes, have no choices left and draw nothing at random");
  std::vector<ir::Graph> graphs;
  for (const Network& member : members) {
    graphs.push_back(member->graph());
  }
  return ir::merge(graphs, most_channels);
}

using Tensors = torch::OrderedDict<std::string, at::Tensor>;

/// Matches the stacked tensors, named `<node>.<path in its layer>`, with the members' tensors.
std::vector<MergedNetwork::Stacked> rows(const Tensors& stacked, const std::vector<Tensors>& theirs,
                                         const ir::MergedGraph& merged) {
  std::map<std::string, MergedNetwork::Stacked> found;
  for (const auto& item : stacked) {
    const size_t dot = item.key().find('.');
    MergedNetwork::Stacked& rows = found[item.key()];
    rows.tensor = item.value();
    for (const ir::ModelNode& of : merged.members.at(item.key().substr(0, dot))) {
      rows.members.push_back(of.model);
      rows.theirs.push_back(theirs[of.model][of.name + item.key().substr(dot)]);
    }
  }
  std::vector<MergedNetwork::Stacked> sorted;
  for (auto& [name, rows] : found) {
    sorted.push_back(std::move(rows));
  }
  return sorted;
}

/// Calls `visit` with each row and the member's tensor, of the same sizes.
template <class Visit>
void for_each_row(const std::vector<MergedNetwork::Stacked>& all, const Visit& visit) {
  const at::NoGradGuard no_grad;
  for (const MergedNetwork::Stacked& stacked : all) {
    const auto n = static_cast<int64_t>(stacked.theirs.size());
    for (int64_t i = 0; i < n; ++i) {
      const at::Tensor& theirs = stacked.theirs[static_cast<size_t>(i)];
      const int64_t size = n == 1 ? 0 : stacked.tensor.size(0) / n;
      visit(n == 1 ? stacked.tensor : stacked.tensor.narrow(0, i * size, size), theirs);
    }
  }
}

}  // namespace

bool can_merge(std::span<const Network> members) {
  for (const Network& member : members) {
    if (!is_settled(member) || member->graph().inputs().size() != 1 ||
        border(member->graph()) != border(members.front()->graph())) {
      return false;
    }
  }
  return !members.empty();
}

MergedNetwork::MergedNetwork(std::span<const Network> members, int64_t most_channels)
    : n_members_(members.size()), network_(nullptr) {
  const ir::MergedGraph graph = merged(members, most_channels);
  network_ = Network(graph.graph, 0);
  std::vector<Tensors> parameters, buffers;
  network_->set_precision(members.front()->precision());
  for (const Network& member : members) {
    parameters.push_back(member->named_parameters());
    buffers.push_back(member->named_buffers());
    if (!parameters.back().is_empty()) {
      const at::Tensor& like = parameters.back().begin()->value();
      network_->to(like.device(), like.scalar_type());
    }
  }
  parameters_ = rows(network_->named_parameters(), parameters, graph);
  buffers_ = rows(network_->named_buffers(), buffers, graph);
  for (const auto* all : {&parameters_, &buffers_}) {
    for_each_row(*all, [](at::Tensor row, const at::Tensor& theirs) { row.copy_(theirs); });
  }
}

void MergedNetwork::give_back() const {
  for (const auto* all : {&parameters_, &buffers_}) {
    for_each_row(*all, [](const at::Tensor& row, at::Tensor theirs) { theirs.copy_(row); });
  }
}

}  // namespace retia
