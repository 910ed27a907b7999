#pragma once

#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// The promise of a rewrite about the graph that it returns, besides the rules of every graph.
enum class Promise {
  Graph,       ///< nothing more: shapes may not fit before the next edit
  Space,       ///< shapes fit, and one label is one decision
  Primitives,  ///< as Space; operations are primitives, and only candidates are nested graphs
  Model        ///< as Space; nothing is left to decide, and every node leads to an output
};

/// Throws one line, which names the node and the rule, unless `graph` is as promised and keeps the
/// rules of every graph: ids and names are distinct, names well formed, a node reads earlier nodes
/// only, outputs are there, inputs read nothing, and each choice has candidates that an
/// architecture can name, as many as it may choose. The rules hold for nested graphs too, which
/// have one output.
void verify(const Graph& graph, Promise promise);

/// Checks the rules of every graph for its parts, so that parts that no Graph takes can be tested.
void verify(const std::string& name, const std::vector<Node>& nodes,
            const std::vector<Output>& outputs);

/// Returns whether rewrites verify what they return: where the environment variable RETIA_VERIFY_IR
/// is set, as all tests do. Verifying takes time, and finds errors of Retia, not of its users.
bool verifies_rewrites();

/// Verifies `graph` where verifies_rewrites(). `rewrite`: its name, for the message.
void verify_rewrite(const char* rewrite, const Graph& graph, Promise promise);

/// Returns `graph`; see verify_rewrite.
Graph verified(const char* rewrite, Graph graph, Promise promise);

}  // namespace retia::ir
