#include <ATen/ops/sigmoid.h>
#include <retia/program.h>

using namespace retia;

/// Fair DARTS (Chu et al., ECCV 2020): candidates do not compete, as each has a weight of its own,
///   o(x) = sum_k sigmoid(alpha_k) o_k(x).
class FairDartsMutator final : public AlphaMutator {
 public:
  FairDartsMutator(const torch::nn::Module& model, const AlphaOptions& options)
      : AlphaMutator(model, options) {}

  Architecture sample_search() override {
    Architecture all;
    for (const Mutable& choice : mutables()) {
      all[choice.label] = everything(choice);
    }
    return all;
  }

  at::Tensor weights(const Mutable& choice) const override {
    const auto n_chosen = static_cast<int64_t>(current().at(choice.label).chosen.size());
    const bool blends = has_alpha(choice.label) && n_chosen == choice.n_candidates();
    return blends ? alpha(choice.label).sigmoid() : at::Tensor();
  }
};

Search make_fair_darts(const BilevelOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_by<BilevelTrainer>(
      setup, std::make_unique<FairDartsMutator>(*setup.network, AlphaOptions{.seed = seed}),
      options);
}

int main(int argc, char** argv) {
  Program program;
  program.algorithms.add("fair_darts", make_fair_darts);
  return program.run(argc, argv);
}
