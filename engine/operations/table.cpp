#include "retia/engine/operations/table.h"

#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/attention.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/drop.h"
#include "retia/engine/operations/gate.h"
#include "retia/engine/operations/grouped_linear.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/layer_norm.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"

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
                                       ops::nothing_chosen({})}) {
    table.add(example.shared_kind());
  }
  return table;
}

}  // namespace retia
