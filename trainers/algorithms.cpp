#include "retia/trainers/algorithms.h"

#include "retia/trainers/algorithms/darts.h"
#include "retia/trainers/algorithms/enas.h"
#include "retia/trainers/algorithms/fairnas.h"
#include "retia/trainers/algorithms/gdas.h"
#include "retia/trainers/algorithms/p_darts.h"
#include "retia/trainers/algorithms/pc_darts.h"
#include "retia/trainers/algorithms/proxyless.h"
#include "retia/trainers/algorithms/random.h"
#include "retia/trainers/algorithms/spos.h"

namespace retia {

AlgorithmTable standard_algorithms() {
  AlgorithmTable table("algorithm");
  table.add("darts", make_darts);
  table.add("enas", make_enas);
  table.add("fairnas", make_fairnas);
  table.add("gdas", make_gdas);
  table.add("p_darts", make_p_darts);
  table.add("pc_darts", make_pc_darts);
  table.add("proxyless", make_proxyless);
  table.add("random", make_random);
  table.add("spos", make_spos);
  return table;
}

}  // namespace retia
