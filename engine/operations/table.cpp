#include "engine/operations/table.h"

#include "engine/operations/attention.h"
#include "engine/operations/batch_norm.h"
#include "engine/operations/conv2d.h"
#include "engine/operations/drop.h"
#include "engine/operations/gate.h"
#include "engine/operations/grouped_linear.h"
#include "engine/operations/join.h"
#include "engine/operations/layer_norm.h"
#include "engine/operations/linear.h"
#include "engine/operations/pool.h"
#include "engine/operations/reshape.h"

namespace retia {

void OperationTable::add(std::shared_ptr<const ir::OperationKind> kind) {
  const std::string type = kind->type();
  kinds_.add(type, std::move(kind));
}

ir::Operation OperationTable::make(const std::string& type, const Json& parameters) const {
  return {kinds_.at(type), parameters};
}

OperationTable standard_operations() {
  OperationTable table;
  for (const ir::Operation& example : {ops::add(),
                                       ops::attention(),
                                       ops::avg_pool2d(),
                                       ops::batch_norm(),
                                       ops::concat(),
                                       ops::conv2d({}),
                                       ops::drop_path(),
                                       ops::fading_dropout(),
                                       ops::flatten(),
                                       ops::global_mean(),
                                       ops::grouped_linear({}),
                                       ops::identity(),
                                       ops::layer_norm(),
                                       ops::linear({}),
                                       ops::max_pool2d(),
                                       ops::mean(),
                                       ops::relu(),
                                       ops::relu6(),
                                       ops::scale(),
                                       ops::shift(),
                                       ops::shuffle(),
                                       ops::sigmoid(),
                                       ops::silu(),
                                       ops::split(),
                                       ops::tanh(),
                                       ops::zero(),
                                       ops::zeros({})}) {
    table.add(example.shared_kind());
  }
  return table;
}

}  // namespace retia
