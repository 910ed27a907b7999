#include "retia/mutators/fairnas.h"

#include "retia/engine/mutables/uniform_sample.h"

namespace retia {

FairnasMutator::FairnasMutator(const torch::nn::Module& model, const FairnasMutatorOptions& options)
    : Mutator(model), random_(options.seed), round_(mutables().size()) {
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen == 1, "fairnas trains one candidate of each choice, but '",
                choice.label, "' chooses ",
                choice.n_chosen ? std::to_string(*choice.n_chosen) : std::string("any number"),
                ": use spos, or random");
    const Mutable& first = mutables().front();
    TORCH_CHECK(choice.n_candidates() == first.n_candidates(),
                "fairnas needs choices of equally many candidates, but '", first.label, "' has ",
                first.n_candidates(), " and '", choice.label, "' ", choice.n_candidates(),
                ": use spos, or random");
    n_paths_ = choice.n_candidates();
  }
}

Architecture FairnasMutator::sample_search() {
  Architecture path;
  for (size_t i = 0; i < round_.size(); ++i) {
    if (round_[i].empty()) {
      round_[i] = random_.permutation(n_paths_);
    }
    path[mutables()[i].label] = {{round_[i].back()}};
    round_[i].pop_back();
  }
  return path;
}

Architecture FairnasMutator::sample_final() const {
  Random copy = random_;
  return sample_uniformly(mutables(), copy);
}

Json FairnasMutator::state() const { return {{"random", random_.state()}, {"round", round_}}; }

void FairnasMutator::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  round_ = state.at("round").get<decltype(round_)>();
}

}  // namespace retia
