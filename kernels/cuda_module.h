#pragma once

#include <torch/headeronly/version.h>

#include <string>

namespace retia::kernels {

/// How many GPUs this process may use.
struct DeviceCount {
  int n;                ///< GPUs, at least 0
  const char* problem;  ///< why there is none, static text; empty when n > 0
};

/// What the module `libretia_cuda.so` hands to the program that opened it.
///
/// The module is the only part that links LibTorch's CUDA half. A program opens it by name
/// (`open_device` does), so what it offers is reached through these pointers, never by linking.
struct CudaModule {
  const char* version;                     ///< `kCudaModuleVersion` as the module was compiled
  DeviceCount (*count_devices)();          ///< asks the CUDA driver, throws nothing
  std::string (*device_name)(int device);  ///< e.g. "NVIDIA H100"; empty where there is none
};

/// The layout of `CudaModule` and the LibTorch it was compiled with: program and module must agree.
inline constexpr const char* kCudaModuleVersion = "retia CUDA module 2, LibTorch " TORCH_VERSION;

/// The name of the module's only exported function, of type `OpenCudaModule`.
inline constexpr const char* kCudaModuleFunction = "retia_cuda_module";
using OpenCudaModule = CudaModule (*)();

}  // namespace retia::kernels
