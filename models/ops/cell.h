#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/ir/builder.h"

namespace retia {

/// The nodes whose concatenation is the output of a cell: all, or those that no other node reads.
enum class Merge { All, LooseEnds };

/// The position of an operation in a cell.
struct CellPlace {
  int64_t node = 0;              ///< index among the states, from the number of predecessors on
  int64_t op = 0;                ///< number of the operation: 0 … ops_per_node - 1
  std::optional<int64_t> input;  ///< the state it reads; none: the state that is chosen
};

/// The sharing of operations between the states that an operation may read: one operation with its
/// weights for any of the states (AnyInput), or one for each state (EachInput), such as an
/// operation that has stride 2 on a predecessor.
enum class OpsFor { AnyInput, EachInput };

/// The structure of a cell.
struct CellOptions {
  int64_t nodes = 4;         ///< intermediate nodes, ≥ 1
  int64_t ops_per_node = 2;  ///< operations whose outputs a node adds, ≥ 1
  /// Returns the candidate operations at a position; their names must be equal for all inputs of
  /// the position.
  std::function<std::vector<ir::CandidateWriter>(const CellPlace&)> candidates = {};
  OpsFor ops_for = OpsFor::AnyInput;  ///< sharing of operations between the states they may read
  Merge merge = Merge::All;           ///< nodes that form the output
  /// Makes the cell's predecessors from its inputs; they must have equal shapes. Empty: the inputs
  /// themselves.
  std::function<std::vector<Wire>(Builder&, std::vector<Wire>)> preprocess = {};
  /// Makes the cell's output from the concatenated nodes. Empty: the concatenation itself.
  ir::Writer postprocess = {};
};

/// Writes a cell in the scope `name`. State i < n is predecessor i; node i >= n is the sum of
/// `ops_per_node` operations on earlier states. Operation k of node i is the layer choice
/// `<label>/op_<i>_<k>`, on the state chosen by the input choice `<label>/input_<i>_<k>`. Cells
/// with the same label share one architecture. Merge::LooseEnds is for multi-trial search only,
/// since the output's shape then depends on the decisions.
Wire cell(Builder& builder, const std::string& name, const std::string& label,
          std::vector<Wire> inputs, const CellOptions& options);

}  // namespace retia
