#include "engine/device.h"

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>
#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "kernels/cuda_module.h"

namespace retia {
namespace {

std::string module_path() {
  const std::string name = "libretia_cuda.so";
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  const auto beside = program.parent_path() / name;
  return std::filesystem::exists(beside) ? beside.string() : name;
}

/// Opens the module, which stays open, and returns why no GPU can be used; empty when one can.
std::string problem_with_cuda() {
  void* module = dlopen(module_path().c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (module == nullptr) {
    return dlerror();
  }
  void* function = dlsym(module, kernels::kCudaModuleFunction);
  if (function == nullptr) {
    return dlerror();
  }
  const kernels::CudaModule cuda = reinterpret_cast<kernels::OpenCudaModule>(function)();
  if (std::string_view(cuda.version) != kernels::kCudaModuleVersion) {
    return c10::str("libretia_cuda.so is '", cuda.version, "', but the program needs '",
                    kernels::kCudaModuleVersion, "'");
  }
  const kernels::DeviceCount devices = cuda.count_devices();
  if (devices.n == 0) {
    return devices.problem;
  }
  return at::hasCUDA() ? "" : "LibTorch was asked about CUDA before the module was opened";
}

}  // namespace

at::Device open_device(std::string_view name) {
  TORCH_CHECK(name == "cpu" || name == "cuda", "unknown device '", name, "': use cpu or cuda");
  if (name == "cpu") {
    return at::kCPU;
  }
  const std::string problem = problem_with_cuda();
  TORCH_CHECK(problem.empty(), "no CUDA device was found (", problem, "): use --device cpu");
  return {at::kCUDA, 0};
}

std::vector<at::Device> available_devices() {
  std::vector<at::Device> devices{at::kCPU};
  if (problem_with_cuda().empty()) {
    devices.emplace_back(at::kCUDA, 0);
  }
  return devices;
}

}  // namespace retia
