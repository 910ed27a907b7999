#include "trainers/algorithms.h"

#include "mutators/one_shot/darts.h"
#include "mutators/one_shot/enas.h"
#include "mutators/one_shot/random.h"
#include "mutators/one_shot/spos.h"
#include "trainers/one_shot/darts_trainer.h"
#include "trainers/one_shot/enas_trainer.h"
#include "trainers/one_shot/single_path_trainer.h"

namespace retia {
namespace {

Search make_darts(const DartsOptions& options, const SearchSetup& setup, uint64_t seed) {
  auto mutator = std::make_unique<DartsMutator>(*setup.network, DartsMutatorOptions{.seed = seed});
  auto trainer = std::make_unique<DartsTrainer>(setup, *mutator, options);
  return {std::move(mutator), std::move(trainer)};
}

/// What the trainer takes, and `controller`.
struct EnasSearchOptions : EnasOptions {
  EnasMutatorOptions controller = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasSearchOptions, controller, controller_steps,
                                                aggregate, entropy_weight, skip_weight,
                                                baseline_decay, controller_lr, controller_clip,
                                                n_candidates, recalibration_batches)

Search make_enas(const EnasSearchOptions& options, const SearchSetup& setup, uint64_t seed) {
  EnasMutatorOptions controller = options.controller;
  controller.seed = seed;
  auto mutator = std::make_unique<EnasMutator>(*setup.network, controller);
  auto trainer = std::make_unique<EnasTrainer>(setup, *mutator, options);
  return {std::move(mutator), std::move(trainer)};
}

Search make_random(const SinglePathOptions& options, const SearchSetup& setup, uint64_t seed) {
  auto mutator =
      std::make_unique<RandomMutator>(*setup.network, RandomMutatorOptions{.seed = seed});
  auto trainer = std::make_unique<SinglePathTrainer>(setup, *mutator, options);
  return {std::move(mutator), std::move(trainer)};
}

Search make_spos(const SinglePathOptions& options, const SearchSetup& setup, uint64_t seed) {
  auto mutator = std::make_unique<SposMutator>(*setup.network, RandomMutatorOptions{.seed = seed});
  auto trainer = std::make_unique<SinglePathTrainer>(setup, *mutator, options);
  return {std::move(mutator), std::move(trainer)};
}

}  // namespace

AlgorithmTable standard_algorithms() {
  AlgorithmTable table("algorithm");
  table.add("darts", make_darts);
  table.add("enas", make_enas);
  table.add("random", make_random);
  table.add("spos", make_spos);
  return table;
}

}  // namespace retia
