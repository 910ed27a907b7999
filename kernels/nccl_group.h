#pragma once

#include "retia/kernels/cuda_module.h"

namespace retia::kernels {

/// Joins the ranks that meet in `store` over NCCL; a MakeNcclGroup. timeout: seconds.
c10::intrusive_ptr<c10d::Backend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                  int rank, int size, double timeout);

}  // namespace retia::kernels
