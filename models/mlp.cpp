#include "retia/models/mlp.h"

#include <algorithm>
#include <set>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"

namespace retia {

ir::Graph mlp(const MlpOptions& o, const Task& task) {
  check_declared(o, "space 'mlp'");
  TORCH_CHECK(
      !o.widths.empty() && std::set(o.widths.begin(), o.widths.end()).size() == o.widths.size(),
      "space 'mlp': widths must be distinct numbers, got [", c10::Join(", ", o.widths), "]");
  std::vector<ir::Expression> widths;
  for (const int64_t width : o.widths) {
    widths.emplace_back(Json(width));
  }
  Builder b("mlp");
  Wire x = b.input("features", {task.input.begin(), task.input.end()});
  if (task.input.size() != 1) {
    x = b.add("flatten", ops::flatten(), {x});
  }
  for (int64_t i = 0; i < o.layers; ++i) {
    const std::string layer = std::to_string(i);
    const Dim width = ir::Expression::choice("width" + layer, widths);
    x = b.add("hidden" + layer, ops::linear({.out = width}), {x});
    x = b.layer_choice("activation" + layer,
                       {{"relu", ops::relu()}, {"tanh", ops::tanh()}, {"silu", ops::silu()}}, {x});
  }
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return b.finish();
}

}  // namespace retia
