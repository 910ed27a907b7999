#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/penalty.h"
#include "retia/trainers/optimizer.h"

namespace retia {

/// The options of P-DARTS, stage by stage.
struct PDartsOptions {
  /// Layers of each stage, added to the option `layers`.
  std::vector<int64_t> extra_layers = {0, 6, 12};
  /// Number of candidates dropped from each choice after each stage but the last.
  std::vector<int64_t> dropped = {3, 2};
  /// Probability of dropping identities at the beginning of each stage.
  std::vector<double> skip_dropout = {0, 0.4, 0.7};
  int64_t most_skips = 2;  ///< identities that a normal cell may keep at the end; -1: any number
  double warmup = 0.4;     ///< fraction of each stage before alphas are trained
  AdamOptions alpha_optimizer = {.lr = 6e-4, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 1e-3};
  PenaltyOptions penalty = {};  ///< cost penalty, in each stage computed for the stage's space
};
inline std::vector<Option> declared(PDartsOptions& o) {
  return {
      option("extra_layers", o.extra_layers, Range{0, 1e6},
             "layers of each stage, added to those of the space"),
      option("dropped", o.dropped, Range{0, 1e6},
             "candidates dropped from each choice after each stage but the last"),
      option("skip_dropout", o.skip_dropout, Range::from_to_below(0, 1),
             "dropout of identities at the beginning of each stage"),
      option("most_skips", o.most_skips, Range{-1, 1e6},
             "identities that a normal cell may keep; -1: any number"),
      option("warmup", o.warmup, Range::from_to_below(0, 1),
             "fraction of each stage before alphas are trained"),
      option("alpha_optimizer", o.alpha_optimizer, "Adam, which trains the alphas"),
      option("penalty", o.penalty, "cost penalty, in each stage of the stage's space"),
  };
}

/// Makes a Progressive DARTS search (Chen et al., ICCV 2019): DARTS in stages. The search network
/// grows deeper from stage to stage (5, 11 and 17 cells in the paper), and between two stages the
/// candidates of each choice with the smallest p = softmax(alpha) are dropped (8, 5 and 3 remain),
/// so that the memory suffices. Each stage begins with new weights and alphas. Identities, which
/// are learnt fastest, are restrained by a dropout that fades within the stage (see
/// ops::fading_dropout). At the end a normal cell keeps at most `most_skips` identities: while
/// there are more, the one with the smallest p is excluded and the cell is decided again. For
/// spaces with the options `layers` and, unless skip_dropout is 0 throughout, `skip_dropout`.
Search make_p_darts(const PDartsOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
