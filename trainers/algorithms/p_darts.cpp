#include "retia/trainers/algorithms/p_darts.h"

#include <algorithm>

#include "retia/engine/base/random.h"
#include "retia/engine/ir/narrow.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/skip_connections.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {
namespace {

/// Returns the architecture that `alphas` keep of `space` when no normal cell may keep more than
/// `most` skip connections (-1: any number), as far as a cell has anything else to keep.
Architecture with_few_skips(const ir::Graph& space, const DartsMutator& alphas, int64_t most) {
  const std::map<std::string, int64_t> skips = skip_candidates(space);
  std::map<std::string, std::vector<double>> p = alphas.probabilities();
  while (true) {
    Architecture kept = alphas.strongest(p);
    double* weakest = nullptr;
    for (const auto& [cell, labels] : kept_skips(space, kept)) {
      if (most < 0 || static_cast<int64_t>(labels.size()) <= most) {
        continue;
      }
      for (const std::string& label : labels) {
        double& p_skip = p.at(label).at(static_cast<size_t>(skips.at(label)));
        if (p_skip > 0 && (weakest == nullptr || p_skip < *weakest)) {
          weakest = &p_skip;
        }
      }
    }
    if (weakest == nullptr) {
      return kept;
    }
    *weakest = 0;
  }
}

/// Trains one stage, and exports architectures of the whole space with few skip connections.
class StageTrainer final : public BilevelTrainer {
 public:
  StageTrainer(const SearchSetup& setup, DartsMutator& mutator, const BilevelOptions& options,
               int64_t most_skips, std::vector<Mutable> whole)
      : BilevelTrainer(setup, mutator, options),
        alphas_(mutator),
        most_skips_(most_skips),
        whole_(std::move(whole)) {}

  Architecture export_architecture() override {
    const Architecture kept = with_few_skips(network()->graph(), alphas_, most_skips_);
    return translated(kept, mutator().mutables(), whole_);
  }

 private:
  const DartsMutator& alphas_;
  int64_t most_skips_;
  std::vector<Mutable> whole_;
};

/// Returns the candidates that remain when each choice loses the `n_dropped` weakest; at least one
/// stays.
ir::Kept strongest(const DartsMutator& mutator, int64_t n_dropped) {
  const auto p = mutator.probabilities();
  ir::Kept kept;
  for (const Mutable& choice : mutator.mutables()) {
    if (choice.kind != MutableKind::LayerChoice) {
      continue;
    }
    const int64_t n = std::max<int64_t>(choice.n_candidates() - n_dropped, 1);
    for (const int64_t k : largest(p.at(choice.label), n).chosen) {
      kept[choice.label].insert(choice.names[static_cast<size_t>(k)]);
    }
  }
  return kept;
}

/// Throws where the table lacks an operation of the stage of so many layers: now, not when its turn
/// comes.
void check_latencies(const std::string& table,
                     const std::function<ir::Graph(const Json&)>& space_with, int64_t layers) {
  const ir::Graph space = space_with({{"layers", layers}});
  ir::in_context(c10::str("p_darts has a stage of space.layers=", layers), [&] {
    ir::ExpectedCost(space, operation_cost(CostMeasure::Latency, table, space.name()));
  });
}

/// The space of a stage.
ir::Graph stage_space(const PDartsOptions& options, const SearchSetup& whole, size_t stage,
                      const ir::Kept& kept, double skip_dropout) {
  const int64_t layers =
      whole.space_options.at("layers").get<int64_t>() + options.extra_layers[stage];
  Json changed = {{"layers", layers}};
  if (skip_dropout != 0) {
    changed["skip_dropout"] = skip_dropout;
  }
  return ir::narrowed(whole.space_with(changed), kept);
}

Search make_stage(const PDartsOptions& options, const SearchSetup& whole, uint64_t seed,
                  size_t stage, const ir::Kept& kept) {
  const uint64_t stage_seed = mix({seed, stage});
  SearchSetup setup = whole;
  const auto space = [&](double skip_dropout) {
    return stage_space(options, whole, stage, kept, skip_dropout);
  };
  setup.costed = space(0);  // what is kept has no dropout
  setup.network = remade(whole.network, space(options.skip_dropout[stage]), stage_seed);
  auto mutator = std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = stage_seed});
  auto trainer =
      std::make_unique<StageTrainer>(setup, *mutator,
                                     BilevelOptions{.warmup = options.warmup,
                                                    .alpha_optimizer = options.alpha_optimizer,
                                                    .penalty = options.penalty},
                                     options.most_skips, ir::mutables(whole.network->graph()));
  std::function<Search()> next;
  if (stage + 1 < options.extra_layers.size()) {
    next = [options, whole, seed, stage, learnt = mutator.get()] {
      return make_stage(options, whole, seed, stage + 1,
                        strongest(*learnt, options.dropped[stage]));
    };
  }
  return {std::move(mutator), std::move(trainer), std::move(next)};
}

}  // namespace

Search make_p_darts(const PDartsOptions& options, const SearchSetup& setup, uint64_t seed) {
  check_declared(options, "algorithm");
  TORCH_CHECK(setup.space_with && setup.space_options.contains("layers"),
              "p_darts makes the space deeper from stage to stage, but this one has no option "
              "'layers': give darts_cnn, or use darts");
  TORCH_CHECK(
      !options.extra_layers.empty() && options.dropped.size() + 1 >= options.extra_layers.size(),
      "p_darts: ", options.extra_layers.size(), " stages need ", options.extra_layers.size() - 1,
      " numbers of dropped candidates, got ", options.dropped.size());
  TORCH_CHECK(options.skip_dropout.size() >= options.extra_layers.size(),
              "p_darts: ", options.extra_layers.size(), " stages need as many skip_dropout, got ",
              options.skip_dropout.size());
  const bool drops = std::any_of(options.skip_dropout.begin(), options.skip_dropout.end(),
                                 [](double probability) { return probability != 0; });
  TORCH_CHECK(!drops || setup.space_options.contains("skip_dropout"),
              "p_darts puts dropout on identities, but this space has no option 'skip_dropout': "
              "give darts_cnn, or --set algorithm.skip_dropout=[0,0,0]");
  const int64_t layers = setup.space_options.at("layers").get<int64_t>();
  const int64_t deepest =
      layers + *std::max_element(options.extra_layers.begin(), options.extra_layers.end());
  const size_t n_decisions = ir::mutables(setup.network->graph()).size();
  const size_t n_deepest = ir::mutables(setup.space_with({{"layers", deepest}})).size();
  TORCH_CHECK(n_deepest == n_decisions,
              "p_darts needs cells that share their decisions, but this space decides more when it "
              "grows: ",
              n_decisions, " choices with ", layers, " layers, ", n_deepest, " with ", deepest,
              ": give darts_cnn, or use darts");
  if (options.penalty.cost == CostMeasure::Latency) {
    for (const int64_t extra : options.extra_layers) {
      check_latencies(options.penalty.table, setup.space_with, layers + extra);
    }
  }
  return make_stage(options, setup, seed, 0, {});
}

}  // namespace retia
