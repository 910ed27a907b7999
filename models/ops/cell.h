#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/ir/builder.h"

namespace retia {

/// What a cell makes of its nodes: all of them joined, or those that no other node reads.
enum class Merge { All, LooseEnds };

/// Where an operation of a cell stands.
struct CellPlace {
  int64_t node = 0;              ///< counted from the number of predecessors
  int64_t op = 0;                ///< 0 to ops_per_node - 1
  std::optional<int64_t> input;  ///< the state it reads; none: whichever is chosen
};

/// Whether an operation is one for all states that it may read, and so are its weights, or one for
/// each of them, such as one that halves where it reads a predecessor.
enum class OpsFor { AnyInput, EachInput };

struct CellOptions {
  int64_t nodes = 4;
  int64_t ops_per_node = 2;
  /// The operations to choose from at a place, of equal names for all inputs of it.
  std::function<std::vector<ir::CandidateWriter>(const CellPlace&)> candidates = {};
  OpsFor ops_for = OpsFor::AnyInput;
  Merge merge = Merge::All;
  /// Makes the predecessors of the inputs, which must have equal shapes; none: they are.
  std::function<std::vector<Wire>(Builder&, std::vector<Wire>)> preprocess = {};
  /// Makes the output of the joined nodes; none: it is.
  ir::Writer postprocess = {};
};

/// Writes a cell in the scope `name`. State i < n is predecessor i; node i >= n is the sum of
/// `ops_per_node` operations on earlier states: operation k is the layer choice
/// `<label>/op_<i>_<k>` on the state that the input choice `<label>/input_<i>_<k>` decides. Cells
/// of one label are of one architecture. Merged by loose ends, which only a model can be, no
/// supernet.
Wire cell(Builder& builder, const std::string& name, const std::string& label,
          std::vector<Wire> inputs, const CellOptions& options);

}  // namespace retia
