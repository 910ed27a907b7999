#include "retia/kernels/mixed_op/mixed_op_passes_stages.h"

namespace retia::kernels {
namespace {

/// Numbers the stages of several lists in `as`, list after list.
void number(int PassStage::*as, const std::vector<std::vector<PassStage>*>& lists) {
  int next = 0;
  for (std::vector<PassStage>* const stages : lists) {
    for (PassStage& stage : *stages) {
      stage.*as = next++;
    }
  }
}

}  // namespace

PassStages::PassStages(const std::vector<int64_t>& branches) {
  int weight = 0, norm = 0;
  for (size_t k = 0; k < branches.size(); ++k) {
    const auto branch = static_cast<MixedBranch>(branches[k]);
    const BranchRow& row = row_of(branch);
    if (row.n_stages == 0) {
      identities.push_back(static_cast<int>(k));
    }
    for (int64_t i = 0; i < row.n_stages; ++i) {
      add(row, i, static_cast<int>(k), weight, norm);
    }
    weight += static_cast<int>(n_weights(branch));
    norm += static_cast<int>(kernels::n_norms(branch));
  }
  number(&PassStage::place, {&first, &halvings, &second, &pools});
  number(&PassStage::norm, {&first, &halvings, &pools, &second});
}

void PassStages::add(const BranchRow& row, int64_t i, int branch, int weight, int norm) {
  const BranchStage& of = row.stages[i];
  PassStage stage = {of.kind,
                     static_cast<int>(of.kernel),
                     static_cast<int>(of.dilation),
                     i + 1 == row.n_stages ? branch : -1,
                     norm + static_cast<int>(i),
                     weight};
  if (i > 0) {
    stage.first_weight += static_cast<int>(row.stages[0].n_weights());
    stage.source = static_cast<int>(first.size()) - 1;
    second.push_back(stage);
  } else {
    (of.is_pool() ? pools : of.kind == StageKind::Halving ? halvings : first).push_back(stage);
  }
}

std::vector<const PassStage*> PassStages::all() const {
  return stages_of({&first, &halvings, &pools, &second});
}

std::vector<const PassStage*> stages_of(const std::vector<const std::vector<PassStage>*>& lists) {
  std::vector<const PassStage*> found;
  for (const std::vector<PassStage>* const list : lists) {
    for (const PassStage& stage : *list) {
      found.push_back(&stage);
    }
  }
  return found;
}

}  // namespace retia::kernels
