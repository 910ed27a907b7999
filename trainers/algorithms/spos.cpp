#include "retia/trainers/algorithms/spos.h"

#include "retia/mutators/spos.h"

namespace retia {
namespace {

std::vector<ir::Filter> filters_of(const SposOptions& options, const ir::Graph& space) {
  const bool has_range =
      options.window.min_multiply_adds > 0 && options.window.max_multiply_adds > 0;
  std::vector<ir::Filter> filters;
  for (const ir::Window& part : ir::parts(options.window, has_range ? options.bins : 1)) {
    filters.push_back(ir::within(space, part));
  }
  return filters;
}

}  // namespace

Search make_spos(const SposOptions& options, const SearchSetup& setup, uint64_t seed) {
  check_declared(options, "algorithm");
  return search_by<SinglePathTrainer>(
      setup,
      std::make_unique<SposMutator>(*setup.network, RandomMutatorOptions{.seed = seed},
                                    filters_of(options, setup.network->graph())),
      evolution(options, setup, seed), with_evolution(options, 1));
}

}  // namespace retia
