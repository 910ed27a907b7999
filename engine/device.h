#pragma once

#include <c10/core/Device.h>

#include <string>
#include <string_view>
#include <vector>

#include "kernels/cuda_module.h"

namespace retia {

/// Returns the device of that name, ready for use: "cpu", or "cuda" for the first visible GPU.
///
/// For "cuda" it opens the module `libretia_cuda.so`, from the program's own folder or else from
/// where the dynamic loader finds it. LibTorch remembers its first answer about CUDA, so call this
/// before anything asks it. Throws `c10::Error` for another name, or when no GPU can be used.
at::Device open_device(std::string_view name);

/// Returns every device that tests can run on: the CPU, then the GPU where one can be used.
std::vector<at::Device> available_devices();

/// What the module for GPUs offers. Throws where it cannot be opened.
kernels::CudaModule cuda_module();

/// The most memory of that GPU, in megabytes (2^20 bytes), that this process's tensors had since
/// the last call, or since it began.
double take_peak_memory(at::Device gpu);

/// Shows this process one GPU only, of those it may use, so that each process of a machine has its
/// own: that of number `local_rank`. To be called before open_device.
void claim_gpu(int64_t local_rank);

/// The name of the processor, e.g. "Intel(R) Xeon(R) Platinum 8481C"; device: one that is open.
std::string hardware_name(at::Device device);

}  // namespace retia
