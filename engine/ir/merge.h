#pragma once

#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// A node of one of several lowered models.
struct ModelNode {
  size_t model;  ///< index of the model
  std::string name;
  friend bool operator==(const ModelNode&, const ModelNode&) = default;
};

/// Several models merged into one graph.
struct MergedGraph {
  /// Reads the models' common input once. Output i is the concatenation, along the first dimension,
  /// of output i of all models.
  Graph graph;
  /// Merged node → the model nodes it computes. Their results are concatenated in its result, and
  /// their weights in its weights (see Operation::stacked).
  std::map<std::string, std::vector<ModelNode>> members;
};

/// The value of most_channels that sets no limit.
constexpr int64_t kAnyNumberOfChannels = std::numeric_limits<int64_t>::max();

/// Merges frozen models into one graph that computes all of them. Equal operations on equal shapes,
/// from several models or one, become one grouped operation; operations without weights on the same
/// input are computed once; everything else runs separately. Throws where the models' inputs differ
/// in shape, where their numbers of outputs differ, or where a choice is left.
///
/// `most_channels`: the most channels of an image ([channels, height, width]) that one joined
/// operation makes; larger groups are split. On a CPU wide convolutions of many groups are slower
/// than their parts; on a GPU, where launches dominate, anything may be joined.
///
/// The nodes to join are found by list scheduling: among the nodes whose inputs are ready, the one
/// with the longest path to an output goes next, and takes all equal ready nodes with it. So no
/// cycle can arise, the models' first layers are joined because all models begin together, and
/// their heads because shorter models wait for longer ones. This is greedy; the optimum is NP-hard
/// (for two models it is already a largest common subgraph). Models of one space differ at
/// corresponding places, so hardly anything is lost. Values stay concatenated from node to node;
/// they are split and joined again only where successive nodes are grouped differently.
MergedGraph merge(std::span<const Graph> models, int64_t most_channels = kAnyNumberOfChannels);

/// Returns the number of values that all nodes of a frozen model output for one sample, i.e. what
/// training saves for backward per sample; for a merged graph, of all models together. Times batch
/// size and bytes per value, it estimates the memory of merged trials.
int64_t n_values(const Graph& model);

}  // namespace retia::ir
