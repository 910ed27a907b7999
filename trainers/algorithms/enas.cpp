#include "retia/trainers/algorithms/enas.h"

namespace retia {

Search make_enas(const EnasSearchOptions& options, const SearchSetup& setup, uint64_t seed) {
  EnasMutatorOptions controller = options.controller;
  controller.seed = seed;
  return search_by<EnasTrainer>(setup, std::make_unique<EnasMutator>(*setup.network, controller),
                                options);
}

}  // namespace retia
