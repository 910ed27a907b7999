#include "retia/models/spaces.h"

#include "retia/models/darts.h"
#include "retia/models/darts_cnn.h"
#include "retia/models/enas_macro.h"
#include "retia/models/enas_micro.h"
#include "retia/models/mlp.h"
#include "retia/models/mnasnet.h"
#include "retia/models/mobile.h"
#include "retia/models/nasbench101.h"
#include "retia/models/nasbench201.h"
#include "retia/models/spos_chain.h"
#include "retia/models/spos_shufflenet.h"
#include "retia/models/tiny.h"

namespace retia {

SpaceTable standard_spaces() {
  SpaceTable spaces;
  spaces.add("darts", &darts);
  spaces.add("darts_cnn", &darts_cnn, &darts_cnn_evaluation);
  spaces.add("enas_macro", &enas_macro);
  spaces.add("enas_micro", &enas_micro);
  spaces.add("mlp", &mlp);
  spaces.add("mnasnet", &mnasnet);
  spaces.add("mobile", &mobile);
  spaces.add("nasbench101", &nasbench101);
  spaces.add("nasbench201", &nasbench201);
  spaces.add_key("nasbench201", &nasbench201_key);
  spaces.add("spos_chain", &spos_chain);
  spaces.add("spos_shufflenet", &spos_shufflenet);
  spaces.add("tiny", &tiny);
  return spaces;
}

}  // namespace retia
