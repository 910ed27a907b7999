#include "retia/models/nasbench101.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/nasbench101_cell.h"

namespace retia {

ir::Graph nasbench101(const NasBench101Options& o, const Task& task) {
  check_declared(o, "space 'nasbench101'");
  for (size_t d = 1; d < task.input.size(); ++d) {
    TORCH_CHECK(task.input[d] % 4 == 0,
                "space 'nasbench101': height and width must be multiples of 4, got ",
                c10::Join(" x ", std::vector(task.input.begin() + 1, task.input.end())));
  }
  Builder b("nasbench101");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  Wire x = b.add("stem", ops::conv_bn({.out = o.channels, .relu = ReluPlace::After}), {image});
  NasBench101CellOptions cell = nasbench101_choices("cell", o.vertices);
  cell.max_edges = o.max_edges;
  for (int64_t stack = 0; stack < 3; ++stack) {
    const auto scope = b.scope("stack" + std::to_string(stack));
    if (stack > 0) {
      x = b.add("pool", ops::max_pool2d({.kernel = 2, .stride = 2, .padding = 0}), {x});
    }
    cell.out = o.channels << stack;
    for (int64_t i = 0; i < o.cells; ++i) {
      x = b.add("cell" + std::to_string(i), ops::nasbench101_cell(cell), {x});
    }
  }
  const Wire mean = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {mean}));
  return b.finish();
}

}  // namespace retia
