#pragma once

#include <c10/core/Device.h>

#include <string>
#include <string_view>
#include <vector>

#include "retia/kernels/cuda_module.h"

namespace retia {

/// Opens the device named `name` and returns it: "cpu", or "cuda" for the first visible GPU.
///
/// For "cuda" the module `libretia_cuda.so` is loaded, from the program's own folder or else from
/// where the dynamic loader finds it. LibTorch remembers its first answer about CUDA, so call this
/// function before any other code asks. Throws `c10::Error` for another name, or when no GPU can be
/// used.
at::Device open_device(std::string_view name);

/// Returns every device that tests can run on: the CPU, and the GPU where one can be used.
std::vector<at::Device> available_devices();

/// Returns the functions of the CUDA module. Throws where the module cannot be opened.
kernels::CudaModule cuda_module();

/// Returns the peak memory that this process's tensors used on `gpu`, in MiB (2^20 bytes), since
/// the last call or since the process began; then starts a new measurement.
double take_peak_memory(at::Device gpu);

/// Restricts this process to one GPU, number `local_rank` of those it may use
/// (CUDA_VISIBLE_DEVICES), so that each process of a machine has its own. Call it before
/// open_device. Changes nothing where the launcher already left one GPU; throws where there are too
/// few.
void claim_gpu(int64_t local_rank);

/// Returns the name of the processor, e.g. "Intel(R) Xeon(R) Platinum 8481C". `device` is already
/// open.
std::string hardware_name(at::Device device);

}  // namespace retia
