#include "retia/models/operations.h"

#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/enas_layer.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/ops/loose_ends.h"
#include "retia/models/ops/mb_conv.h"
#include "retia/models/ops/mnas_layer.h"
#include "retia/models/ops/nasbench101_cell.h"
#include "retia/models/ops/pool_bn.h"
#include "retia/models/ops/sep_conv.h"
#include "retia/models/ops/shuffle_block.h"

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
