#include "retia/trainers/algorithms.h"

#include "retia/mutators/darts.h"
#include "retia/mutators/enas.h"
#include "retia/mutators/fairnas.h"
#include "retia/mutators/gumbel.h"
#include "retia/mutators/proxyless.h"
#include "retia/mutators/random.h"
#include "retia/mutators/spos.h"
#include "retia/strategies/random.h"
#include "retia/strategies/spos_evolution.h"
#include "retia/trainers/one_shot/darts_trainer.h"
#include "retia/trainers/one_shot/enas_trainer.h"
#include "retia/trainers/one_shot/p_darts.h"
#include "retia/trainers/one_shot/single_path_trainer.h"

namespace retia {
namespace {

constexpr AdamOptions kDartsAdam = {.lr = 3e-4, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 1e-3};

/// A search of these two, whose trainer takes more arguments after the mutator.
template <class Trainer, class M, class... Args>
Search search_with(const SearchSetup& setup, std::unique_ptr<M> mutator, Args&&... args) {
  auto trainer = std::make_unique<Trainer>(setup, *mutator, std::forward<Args>(args)...);
  return {std::move(mutator), std::move(trainer)};
}

Search make_darts(const DartsOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_with<DartsTrainer>(
      setup, std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = seed}), options);
}

/// The options of the trainer, plus `controller`.
struct EnasSearchOptions : EnasOptions {
  EnasMutatorOptions controller = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasSearchOptions, controller, controller_steps,
                                                aggregate, entropy_weight, skip_weight,
                                                baseline_decay, controller_lr, controller_clip,
                                                n_candidates, recalibration_batches, penalty)

Search make_enas(const EnasSearchOptions& options, const SearchSetup& setup, uint64_t seed) {
  EnasMutatorOptions controller = options.controller;
  controller.seed = seed;
  return search_with<EnasTrainer>(setup, std::make_unique<EnasMutator>(*setup.network, controller),
                                  options);
}

/// PC-DARTS (Xu et al., ICLR 2020); warm-up 15 of 50 epochs.
struct PcDartsOptions {
  int64_t partial_channels = 4;  ///< K; 1: only the edge normalisation
  double warmup = 0.3;
  AdamOptions alpha_optimizer = {.lr = 6e-4, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 1e-3};
  PenaltyOptions penalty = {};  ///< of what the space costs with all channels
  EarlyStopOptions early_stop = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PcDartsOptions, partial_channels, warmup,
                                                alpha_optimizer, penalty, early_stop)

Search make_pc_darts(const PcDartsOptions& options, const SearchSetup& setup, uint64_t seed) {
  SearchSetup partial = setup;
  partial.costed = setup.network->graph();
  if (options.partial_channels != 1) {
    TORCH_CHECK(setup.space_with && setup.space_options.contains("partial_channels"),
                "pc_darts changes the option partial_channels of the space, but this one has "
                "none: give darts_cnn, or --set algorithm.partial_channels=1");
    partial.network = remade(
        setup.network, setup.space_with({{"partial_channels", options.partial_channels}}), seed);
  }
  return search_with<DartsTrainer>(
      partial,
      std::make_unique<DartsMutator>(*partial.network,
                                     AlphaOptions{.seed = seed, .edge_alphas = true}),
      DartsOptions{.warmup = options.warmup,
                   .alpha_optimizer = options.alpha_optimizer,
                   .penalty = options.penalty,
                   .early_stop = options.early_stop});
}

struct GdasOptions {
  double first_temperature = 10, last_temperature = 0.1;
  bool hard = true;  ///< false: a blend by Gumbel-softmax
  AdamOptions alpha_optimizer = kDartsAdam;
  PenaltyOptions penalty = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(GdasOptions, first_temperature, last_temperature,
                                                hard, alpha_optimizer, penalty)

Search make_gdas(const GdasOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_with<DartsTrainer>(
      setup,
      std::make_unique<GumbelMutator>(*setup.network,
                                      GumbelOptions{.alphas = {.seed = seed},
                                                    .first_temperature = options.first_temperature,
                                                    .last_temperature = options.last_temperature,
                                                    .hard = options.hard}),
      DartsOptions{.alpha_optimizer = options.alpha_optimizer, .penalty = options.penalty});
}

/// ProxylessNAS (Cai et al., ICLR 2019); warm-up 25 of 120 + 25 epochs.
struct ProxylessOptions {
  double warmup = 0.17;
  int64_t paths = 2;  ///< in memory in a step that trains alphas, 1 or 2
  AdamOptions alpha_optimizer = {.lr = 1e-3, .beta1 = 0, .beta2 = 0.999, .weight_decay = 0};
  PenaltyOptions penalty = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ProxylessOptions, warmup, paths, alpha_optimizer,
                                                penalty)

Search make_proxyless(const ProxylessOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_with<DartsTrainer>(
      setup,
      std::make_unique<ProxylessMutator>(*setup.network, AlphaOptions{.seed = seed}, options.paths),
      DartsOptions{.warmup = options.warmup,
                   .alpha_optimizer = options.alpha_optimizer,
                   .penalty = options.penalty});
}

struct RandomSearchOptions {
  int64_t n_candidates = 50;  ///< distinct architectures scored at the end, ≥ 1
  int64_t recalibration_batches = 20;
  PenaltyOptions penalty = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RandomSearchOptions, n_candidates,
                                                recalibration_batches, penalty)

Search make_random(const RandomSearchOptions& options, const SearchSetup& setup, uint64_t seed) {
  const auto draw = [seed](const ir::Graph& space) {
    return std::make_unique<RandomStrategy>(space, RandomOptions{}, seed);
  };
  return search_with<SinglePathTrainer>(
      setup, std::make_unique<RandomMutator>(*setup.network, RandomMutatorOptions{.seed = seed}),
      draw,
      SinglePathOptions{.n_candidates = options.n_candidates,
                        .recalibration_batches = options.recalibration_batches,
                        .penalty = options.penalty});
}

struct EvolvedOptions {
  SposEvolutionOptions evolution = {};
  ir::Window window = {};               ///< what an architecture may cost
  int64_t recalibration_batches = 200;  ///< the paper's 20,000 images, of 64 and more
  PenaltyOptions penalty = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EvolvedOptions, evolution, window,
                                                recalibration_batches, penalty)

MakeStrategy evolution(const EvolvedOptions& options, const SearchSetup& setup, uint64_t seed) {
  const ir::Window& window = options.window;
  if (!window.table.empty() && (window.min_latency > 0 || window.max_latency > 0)) {
    check_conditions(window.table, setup);
  }
  return [options, seed](const ir::Graph& space) {
    return std::make_unique<SposEvolutionStrategy>(Domain(space, ir::within(space, options.window)),
                                                   options.evolution, seed);
  };
}

SinglePathOptions with_final_search(const EvolvedOptions& options, int64_t paths_per_step) {
  return {.paths_per_step = paths_per_step,
          .n_candidates = options.evolution.population * options.evolution.rounds,
          .n_top = options.evolution.parents,
          .recalibration_batches = options.recalibration_batches,
          .penalty = options.penalty};
}

/// The options of fairnas, plus `bins`.
struct SposOptions : EvolvedOptions {
  /// Ranges of multiply-adds, that steps draw from equally often, of a window with both bounds,
  /// ≥ 1.
  int64_t bins = 7;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SposOptions, evolution, window, bins,
                                                recalibration_batches, penalty)

std::vector<ir::Filter> filters_of(const SposOptions& options, const ir::Graph& space) {
  TORCH_CHECK(options.bins >= 1, "algorithm: bins must be at least 1, got ", options.bins);
  const bool has_range =
      options.window.min_multiply_adds > 0 && options.window.max_multiply_adds > 0;
  std::vector<ir::Filter> filters;
  for (const ir::Window& part : ir::parts(options.window, has_range ? options.bins : 1)) {
    filters.push_back(ir::within(space, part));
  }
  return filters;
}

Search make_spos(const SposOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_with<SinglePathTrainer>(
      setup,
      std::make_unique<SposMutator>(*setup.network, RandomMutatorOptions{.seed = seed},
                                    filters_of(options, setup.network->graph())),
      evolution(options, setup, seed), with_final_search(options, 1));
}

Search make_fairnas(const EvolvedOptions& options, const SearchSetup& setup, uint64_t seed) {
  auto mutator =
      std::make_unique<FairnasMutator>(*setup.network, FairnasMutatorOptions{.seed = seed});
  const int64_t n_paths = mutator->n_paths();
  return search_with<SinglePathTrainer>(setup, std::move(mutator), evolution(options, setup, seed),
                                        with_final_search(options, n_paths));
}

}  // namespace

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
