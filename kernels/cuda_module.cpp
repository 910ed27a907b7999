#include "retia/kernels/cuda_module.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

#include "retia/kernels/nccl_group.h"

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

int64_t take_peak_bytes(int device) {
  using c10::cuda::CUDACachingAllocator::getDeviceStats;
  const auto index = static_cast<c10::DeviceIndex>(device);
  const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const int64_t peak = getDeviceStats(index).allocated_bytes[all].peak;
  c10::cuda::CUDACachingAllocator::resetPeakStats(index);
  return peak;
}

}  // namespace
}  // namespace retia::kernels

extern "C" retia::kernels::CudaModule retia_cuda_module() {
  return {retia::kernels::kCudaModuleVersion, &retia::kernels::count_devices,
          &retia::kernels::device_name, &retia::kernels::make_nccl_group,
          &retia::kernels::take_peak_bytes};
}
