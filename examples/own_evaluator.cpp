#include <retia/program.h>

#include <cmath>

using namespace retia;

struct BudgetOptions {
  double multiply_adds = 1e6;  ///< the model to find has as many
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BudgetOptions, multiply_adds)

/// How near a model comes to a budget of multiply-adds.
class BudgetEvaluator final : public Evaluator {
 public:
  explicit BudgetEvaluator(const BudgetOptions& options) : options_(options) {}

  std::vector<Objective> objectives() const override { return {{"distance", Direction::Minimise}}; }

  Evaluation evaluate(const Trial& trial) override {
    const auto found = static_cast<double>(total_cost(*trial.model).multiply_adds.value());
    return {.objectives = {std::abs(found / options_.multiply_adds - 1)},
            .metrics = {{"multiply_adds", found}}};
  }

  Json to_json() const override { return {{"name", "budget"}, {"options", options_}}; }

 private:
  BudgetOptions options_;
};

std::unique_ptr<Evaluator> make_budget(const BudgetOptions& options, const EvaluatorContext&) {
  return std::make_unique<BudgetEvaluator>(options);
}

int main(int argc, char** argv) {
  Program program;
  program.evaluators.add("budget", make_budget);
  return program.run(argc, argv);
}
