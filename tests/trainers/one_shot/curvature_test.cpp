#include "retia/trainers/one_shot/curvature.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "retia/mutators/darts.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {
namespace {

/// The largest eigenvalue of a'Ha / 2 + a'g, where H has these eigenvalues.
double found_for(const std::vector<double>& eigenvalues, at::ScalarType dtype = at::kDouble) {
  const auto n = static_cast<int64_t>(eigenvalues.size());
  const at::Tensor q = std::get<0>(at::linalg_qr(normal_tensor({n, n}, 3).to(at::kDouble)));
  const at::Tensor h = q.mm(at::diag(at::tensor(eigenvalues, at::kDouble))).mm(q.t()).to(dtype);
  const at::Tensor a = normal_tensor({n}, 4).to(dtype), g = normal_tensor({n}, 5).to(dtype);
  const std::vector<at::Tensor> parts = {a.slice(0, 0, 1), a.slice(0, 1)};
  const auto gradients = [&] {
    const at::Tensor all = h.mv(at::cat(parts)) + g;
    return std::vector<at::Tensor>{all.slice(0, 0, 1), all.slice(0, 1)};
  };
  const at::Tensor before = a.clone();
  const double found = largest_eigenvalue(parts, gradients, {.iterations = 1000});
  EXPECT_TRUE(at::equal(a, before)) << "bit for bit";
  return found;
}

TEST(LargestEigenvalue, IsThatOfAQuadraticForm) {
  EXPECT_NEAR(found_for({3, 1, -2, 0.5}), 3, 1e-3);
  EXPECT_NEAR(found_for({3, 1, -2, 0.5}, at::kFloat), 3, 3e-3);
  EXPECT_NEAR(found_for({7}), 7, 1e-6);
  EXPECT_NEAR(found_for({0, 0, 0}), 0, 1e-9);
}

TEST(LargestEigenvalue, IsNotTheLargestInSizeWhereThatIsNegative) {
  EXPECT_NEAR(found_for({2, 1, -5, 0.5}), 2, 1e-2);
  EXPECT_NEAR(found_for({-1, -2, -8}), -1, 1e-2);
}

TEST(LargestEigenvalue, TakesWhatTheLossDoesNotDependOnForFlat) {
  const std::vector<at::Tensor> of = {at::tensor({1.0}, at::kDouble),
                                      at::tensor({2.0}, at::kDouble)};
  const auto gradients = [&] { return std::vector<at::Tensor>{3 * of[0], {}}; };
  EXPECT_NEAR(largest_eigenvalue(of, gradients), 3, 1e-6);
}

/// The Hessian of the loss in the alphas by differentiating twice.
TEST(LargestEigenvalue, EqualsThatOfTheExactHessianOfASupernet) {
  SearchSetup setup{.network = Network(stripes_space(), 1),
                    .train = stripe_batches(16, 2, 8, at::kDouble),
                    .valid = stripe_batches(16, 3, 8, at::kDouble)};
  setup.network->to(at::kDouble);
  DartsMutator mutator(*setup.network, {.alpha_scale = 0.5, .seed = 5});
  BilevelTrainer trainer(setup, mutator, {});
  setup.network->train();
  mutator.reset();
  const Batch batch = setup.valid.batch(0, 0);
  NamedTensors before;
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    before[name] = tensor.detach().clone();
  }
  const double found = trainer.curvature(batch, 1);
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name << ", statistics too";
  }

  const std::vector<at::Tensor> alphas = mutator.parameters();
  const at::Tensor loss =
      at::cross_entropy_loss(setup.network->forward(batch.inputs), batch.targets);
  const auto first = torch::autograd::grad({loss}, alphas, {}, std::nullopt, true);
  std::vector<at::Tensor> rows;
  for (const at::Tensor& gradient : first) {
    for (int64_t i = 0; i < gradient.numel(); ++i) {
      std::vector<at::Tensor> row;
      const auto second =
          torch::autograd::grad({gradient[i]}, alphas, {}, true, false, /*allow_unused=*/true);
      for (size_t k = 0; k < alphas.size(); ++k) {
        row.push_back(second[k].defined() ? second[k] : at::zeros_like(alphas[k]));
      }
      rows.push_back(at::cat(row));
    }
  }
  const at::Tensor eigenvalues = at::linalg_eigvalsh(at::stack(rows));
  const double exact = eigenvalues.max().item<double>();
  EXPECT_GT(exact, 1e-4);
  EXPECT_NEAR(found, exact, 5e-3 * exact);
}

}  // namespace
}  // namespace retia
