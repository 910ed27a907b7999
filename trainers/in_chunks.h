#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <vector>

namespace retia {

/// Calls body(first, n) for consecutive parts of a list of tensors. On a CPU there are about as
/// many parts as threads, each with about as many numbers, and the parts run in parallel; `body`
/// may call ATen's operations on its tensors, without autograd. On a GPU there is one part.
void in_chunks(const std::vector<at::Tensor>& tensors,
               c10::function_ref<void(size_t first, size_t n)> body);

}  // namespace retia
