#include "retia/kernels/mixed_op/mixed_op_workspace.h"

#include <limits>

namespace retia::kernels::cpu {
namespace {

Offsets steps_of(int64_t step) {
  Offsets table;
  for (int64_t i = 0; i < kBlock; ++i) {
    table.push_back(static_cast<int32_t>(i * step));
  }
  return table;
}

}  // namespace

template <class T>
Workspace<T>::Workspace(const MixedOpPlan<T>& plan)
    : ones(plan.c),
      zeros(plan.c),
      shift(plan.c),
      depthwise(kBlock * 2 * plan.c),
      wide(steps_of(2 * plan.c)),
      rectified(plan.first.in.size()),
      lowest(plan.first.in.size()),
      bordered(plan.first.in.size()),
      second(plan.second.in.size()),
      shares(plan.first.n_out_whole) {
  std::fill_n(ones.get(), plan.c, T(1));
  std::fill_n(lowest.get(), plan.first.in.size(), -std::numeric_limits<T>::infinity());
  const Tile& in = plan.first.in;
  for (int64_t p = 0; p < plan.first.n_out; ++p) {
    const int64_t y = p / plan.first.out.width * plan.first.stride;
    const int64_t x = p % plan.first.out.width * plan.first.stride;
    const int64_t rows = std::min(y + 2, in.height) - std::max<int64_t>(y - 1, 0);
    const int64_t columns = std::min(x + 2, in.width) - std::max<int64_t>(x - 1, 0);
    shares[p] = T(1) / static_cast<T>(rows * columns);
  }
}

template <class T>
BackwardWorkspace<T>::BackwardWorkspace(const MixedOpPlan<T>& plan)
    : Workspace<T>(plan),
      before(std::max(kBlock * 2, plan.first.n_out_whole) * plan.c),
      product(kBlock * 2 * plan.c),
      first_out(plan.first.out.size()),
      second_out(plan.second.out.size()),
      first_in(plan.first.in.size()),
      pools_in(plan.first.in.size()),
      second_in(plan.second.in.size()) {}

template struct Workspace<float>;
template struct Workspace<double>;
template struct BackwardWorkspace<float>;
template struct BackwardWorkspace<double>;

}  // namespace retia::kernels::cpu
