#pragma once

#include "retia/mutators/enas.h"
#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/enas_trainer.h"

namespace retia {

/// The options of the trainer, and of the controller.
struct EnasSearchOptions : EnasOptions {
  EnasMutatorOptions controller = {};
};
inline std::vector<Option> declared(EnasSearchOptions& o) {
  return joined({option("controller", o.controller, "LSTM that samples architectures")},
                declared(static_cast<EnasOptions&>(o)));
}

/// Makes a search by ENAS (Pham et al., ICML 2018): an EnasMutator, trained by an EnasTrainer.
Search make_enas(const EnasSearchOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
