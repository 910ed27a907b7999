#include "models/operations.h"

#include "models/ops/conv_bn.h"
#include "models/ops/dil_conv.h"
#include "models/ops/enas_layer.h"
#include "models/ops/factorized_reduce.h"
#include "models/ops/loose_ends.h"
#include "models/ops/mb_conv.h"
#include "models/ops/mnas_layer.h"
#include "models/ops/nasbench101_cell.h"
#include "models/ops/pool_bn.h"
#include "models/ops/sep_conv.h"
#include "models/ops/shuffle_block.h"

namespace retia {

void add_model_operations(OperationTable& table) {
  for (const ir::Operation& example :
       {ops::conv_bn({}), ops::dil_conv(), ops::enas_layer({}), ops::factorized_reduce(),
        ops::loose_ends({}), ops::mb_conv(), ops::mnas_layer(), ops::nasbench101_cell({}),
        ops::pool_bn({}), ops::sep_conv(), ops::shuffle_block()}) {
    table.add(example.shared_kind());
  }
}

}  // namespace retia
