#include "retia/kernels/running_statistics.h"

#include <ATen/Dispatch.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "retia/kernels/argument.h"

namespace retia::kernels {
namespace {

void move_on_cpu(at::TensorList running, const at::Tensor& batch, double momentum) {
  check_move_running(running, batch);
  const int64_t c = batch.size(2);
  for (size_t i = 0; i < running.size(); i += 2) {
    const double* const count =
        batch.const_data_ptr<double>() + static_cast<int64_t>(i) / 2 * 3 * c;
    const double* const mean_of = count + c;
    const double* const squares = mean_of + c;
    AT_DISPATCH_FLOATING_TYPES(running[i].scalar_type(), "move_running", [&] {
      auto* const mean = running[i].mutable_data_ptr<scalar_t>();
      auto* const variance = running[i + 1].mutable_data_ptr<scalar_t>();
      for (int64_t k = 0; k < c; ++k) {
        mean[k] = static_cast<scalar_t>((1 - momentum) * mean[k] + momentum * mean_of[k]);
        variance[k] = static_cast<scalar_t>((1 - momentum) * variance[k] +
                                            momentum * squares[k] / (count[k] - 1));
      }
    });
  }
}

const auto& move_running_operator() {
  static const auto found = c10::Dispatcher::singleton()
                                .findSchemaOrThrow("retia::move_running_", "")
                                .typed<void(at::TensorList, const at::Tensor&, double)>();
  return found;
}

void move_without_gradient(at::TensorList running, const at::Tensor& batch, double momentum) {
  for (const at::Tensor& statistic : running) {
    TORCH_CHECK(!statistic.requires_grad(), "running statistics take no gradient, but one of ",
                described(statistic), " requires it");
  }
  const at::AutoDispatchBelowADInplaceOrView below;
  move_running_operator().call(running, batch, momentum);
}

}  // namespace

void check_move_running(at::TensorList running, const at::Tensor& batch) {
  const bool is_wide = batch.defined() && !is_for_gpu(batch);
  TORCH_CHECK(
      is_array(batch) && batch.dim() == 3 && batch.sym_size(1) == 3 && batch.is_contiguous() &&
          (batch.scalar_type() == at::kDouble || (!is_wide && batch.scalar_type() == at::kFloat)),
      "move_running_: batch must be contiguous float64 (on a GPU also float32) "
      "[normalisations, 3, C], but is ",
      described(batch));
  TORCH_CHECK(batch.sym_size(0) * 2 == static_cast<int64_t>(running.size()),
              "move_running_: expected mean and variance of each of ", batch.sym_size(0),
              " normalisations, got ", running.size(), " tensors");
  for (size_t i = 0; i < running.size(); ++i) {
    const at::Tensor& statistic = running[i];
    TORCH_CHECK(
        is_array(statistic) && statistic.dim() == 1 && statistic.sym_size(0) == batch.sym_size(2) &&
            statistic.is_contiguous() && statistic.device() == batch.device() &&
            (is_wide
                 ? statistic.scalar_type() == at::kFloat || statistic.scalar_type() == at::kDouble
                 : statistic.scalar_type() == batch.scalar_type()) &&
            statistic.scalar_type() == running[i - i % 2].scalar_type(),
        "move_running_: running statistics must be contiguous ",
        is_wide ? "float32 or float64" : "of the dtype of batch", ", [", batch.sym_size(2), "] on ",
        batch.device(), ", but one is ", described(statistic));
  }
}

void move_running(at::TensorList running, const at::Tensor& batch, double momentum) {
  move_running_operator().call(running, batch, momentum);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def("move_running_(Tensor(a!)[] running, Tensor batch, float momentum) -> ()");
}

TORCH_LIBRARY_IMPL(retia, CPU, library) { library.impl("move_running_", &move_on_cpu); }

TORCH_LIBRARY_IMPL(retia, Autograd, library) {
  library.impl("move_running_", &move_without_gradient);
}

TORCH_LIBRARY_IMPL(retia, Meta, library) {
  library.impl("move_running_", [](at::TensorList running, const at::Tensor& batch, double) {
    check_move_running(running, batch);
  });
}

}  // namespace retia::kernels
