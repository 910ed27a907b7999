#include "kernels/cuda_module.h"

#include <cuda_runtime_api.h>

#include "kernels/nccl_group.h"

namespace retia::kernels {
namespace {

DeviceCount count_devices() {
  int n = 0;
  const cudaError_t error = cudaGetDeviceCount(&n);
  if (error != cudaSuccess) {
    return {0, cudaGetErrorString(error)};
  }
  return {n, n > 0 ? "" : "none is visible to this process"};
}

std::string device_name(int device) {
  cudaDeviceProp properties = {};
  return cudaGetDeviceProperties(&properties, device) == cudaSuccess ? properties.name : "";
}

}  // namespace
}  // namespace retia::kernels

extern "C" retia::kernels::CudaModule retia_cuda_module() {
  return {retia::kernels::kCudaModuleVersion, &retia::kernels::count_devices,
          &retia::kernels::device_name, &retia::kernels::make_nccl_group};
}
