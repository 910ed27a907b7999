#include "retia/engine/base/device.h"

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>
#include <dlfcn.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "retia/kernels/cuda_module.h"

namespace retia {
namespace {

std::string module_path() {
  const std::string name = "libretia_cuda.so";
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  const auto beside = program.parent_path() / name;
  return std::filesystem::exists(beside) ? beside.string() : name;
}

/// The module, opened, which it stays; null: it cannot be.
/// Loads the CUDA module, which stays loaded; returns null where this fails.
kernels::OpenCudaModule open_module() {
  void* module = dlopen(module_path().c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* function = module == nullptr ? nullptr : dlsym(module, kernels::kCudaModuleFunction);
  return reinterpret_cast<kernels::OpenCudaModule>(function);
}

/// Returns why no GPU can be used; empty where one can.
std::string problem_with_cuda() {
  const kernels::OpenCudaModule open = open_module();
  if (open == nullptr) {
    return dlerror();
  }
  const kernels::CudaModule cuda = open();
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

kernels::CudaModule cuda_module() {
  const kernels::OpenCudaModule open = open_module();
  TORCH_CHECK(open != nullptr, "the module for GPUs cannot be opened: ", dlerror());
  return open();
}

double take_peak_memory(at::Device gpu) {
  return static_cast<double>(cuda_module().take_peak_bytes(gpu.index())) / (1024.0 * 1024.0);
}

void claim_gpu(int64_t local_rank) {
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  std::vector<std::string> names;
  std::istringstream list(visible == nullptr ? "" : visible);
  for (std::string name; std::getline(list, name, ',');) {
    names.push_back(name);
  }
  if (names.size() == 1) {
    return;  // the launcher has done so
  }
  const auto i = static_cast<size_t>(local_rank);
  TORCH_CHECK(visible == nullptr || i < names.size(), "rank ", local_rank,
              " of this machine has no GPU: CUDA_VISIBLE_DEVICES=", visible,
              " names too few, start fewer ranks a machine");
  const std::string mine = visible == nullptr ? std::to_string(local_rank) : names[i];
  ::setenv("CUDA_VISIBLE_DEVICES", mine.c_str(), /*overwrite=*/1);
}

std::string hardware_name(at::Device device) {
  if (device.is_cuda()) {
    return cuda_module().device_name(device.index());
  }
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line);) {
    const size_t value = line.find(": ");
    if (line.compare(0, 10, "model name") == 0 && value != line.npos) {
      return line.substr(value + 2);
    }
  }
  utsname machine = {};
  uname(&machine);
  return machine.machine;
}

}  // namespace retia
