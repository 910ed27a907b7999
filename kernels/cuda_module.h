#pragma once

#include <c10/util/intrusive_ptr.h>
#include <torch/headeronly/version.h>

#include <string>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace retia::kernels {

/// The number of GPUs that this process may use.
struct DeviceCount {
  int n;                ///< GPUs, at least 0
  const char* problem;  ///< why there is none, static text; empty when n > 0
};

/// Joins the ranks that meet in `store` over NCCL; each uses the current GPU. timeout: seconds.
using MakeNcclGroup = c10::intrusive_ptr<c10d::Backend> (*)(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int size, double timeout);

/// The functions that the module `libretia_cuda.so` hands to the program that opened it.
///
/// The module is the only part that links LibTorch's CUDA half. A program opens the module by name
/// (`open_device` does), so its functions are reached through these pointers, never by linking.
struct CudaModule {
  const char* version;                     ///< `kCudaModuleVersion` as the module was compiled
  DeviceCount (*count_devices)();          ///< asks the CUDA driver, throws nothing
  std::string (*device_name)(int device);  ///< e.g. "NVIDIA H100"; empty where there is none
  MakeNcclGroup make_nccl_group;           ///< joins ranks over NCCL
  /// Returns the most bytes that tensors on the GPU held at once since the last call, or since the
  /// beginning.
  int64_t (*take_peak_bytes)(int device);
};

/// The layout of `CudaModule` and the LibTorch it was compiled with: program and module must agree.
inline constexpr const char* kCudaModuleVersion = "retia CUDA module 4, LibTorch " TORCH_VERSION;

/// The name of the module's only exported function, of type `OpenCudaModule`.
inline constexpr const char* kCudaModuleFunction = "retia_cuda_module";
/// The type of the exported function, which returns the functions of the module.
using OpenCudaModule = CudaModule (*)();

}  // namespace retia::kernels
