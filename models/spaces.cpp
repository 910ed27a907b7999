#include "models/spaces.h"

#include "models/darts_cnn.h"
#include "models/enas_macro.h"
#include "models/spos_chain.h"
#include "models/tiny.h"

namespace retia {

SpaceTable standard_spaces() {
  SpaceTable spaces;
  spaces.add("darts_cnn", &darts_cnn, &darts_cnn_evaluation);
  spaces.add("enas_macro", &enas_macro);
  spaces.add("spos_chain", &spos_chain);
  spaces.add("tiny", &tiny);
  return spaces;
}

}  // namespace retia
