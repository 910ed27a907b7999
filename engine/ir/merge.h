#pragma once

#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

/// A node of one of several models, lowered.
struct ModelNode {
  size_t model;  ///< its position among them
  std::string name;
  friend bool operator==(const ModelNode&, const ModelNode&) = default;
};

/// Several models as one.
struct MergedGraph {
  /// Reads the input of the models once. Its outputs are theirs, in order, each joined along the
  /// first dimension over the models.
  Graph graph;
  /// Of each node that computes one operation or more of the models, by name: those whose results
  /// stand one after the other in its result, and whose weights in its weights (see stacked).
  std::map<std::string, std::vector<ModelNode>> members;
};

constexpr int64_t kAnyNumberOfChannels = std::numeric_limits<int64_t>::max();

/// One graph that computes what all of `models`, which are frozen, compute. Equal operations on
/// equal shapes become one, of several models and within one; what has no weights and reads the
/// same is computed once; the rest runs by itself. Throws where they read inputs of unequal shapes,
/// have not the same number of outputs, or have choices left.
///
/// most_channels: of an image ([channels, height, width]) that joined operations make; more of them
/// become several. On a CPU wide convolutions of many groups are slower than their parts; on a GPU,
/// which waits for launches, anything may be joined.
///
/// What is joined is found as a scheduler finds it: of the nodes whose inputs are there, the one
/// with the longest way to an output goes next, and takes all those equal to it along. So nothing
/// ever waits for itself, stems meet as all models begin with them, and heads meet as shorter
/// models wait for longer ones. This is greedy where an optimal choice is NP-hard (of two models
/// already it is a largest common part of two graphs); for the models of one space, which differ
/// by what stands in the same places, hardly anything is lost. Values stay joined from node to
/// node; they are cut and joined anew only where neighbours are grouped unlike.
MergedGraph merge(std::span<const Graph> models, int64_t most_channels = kAnyNumberOfChannels);

/// Numbers that all nodes of a frozen model together make of one sample: what training keeps for
/// the backward pass of one sample, in a merged graph of all models. With the batch size and the
/// bytes of a number, an estimate of the memory that merged trials take.
int64_t n_values(const Graph& model);

}  // namespace retia::ir
