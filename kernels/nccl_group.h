#pragma once

#include "retia/kernels/cuda_module.h"

namespace retia::kernels {

/// See MakeNcclGroup.
c10::intrusive_ptr<c10d::Backend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                  int rank, int size, double timeout);

}  // namespace retia::kernels
