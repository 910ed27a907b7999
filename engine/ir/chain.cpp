#include "retia/engine/ir/chain.h"

namespace retia::ir {

Cell chain(const std::string& name, const std::vector<Operation>& operations) {
  Graph graph(name);
  Wire x = graph.add("input", Input{}, {});
  for (size_t i = 0; i < operations.size(); ++i) {
    x = graph.add("layer" + std::to_string(i), operations[i], {x});
  }
  graph.add_output("output", x);
  return Cell(std::move(graph));
}

}  // namespace retia::ir
