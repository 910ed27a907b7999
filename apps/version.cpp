#include "retia/apps/version.h"

#include <ATen/Version.h>
#include <build.h>
#include <c10/util/StringUtil.h>
#include <torch/version.h>

namespace retia {

std::string version() {
  return c10::str("retia ", RETIA_VERSION, "\ncommit ", RETIA_COMMIT, "\nLibTorch ", TORCH_VERSION,
                  "\nCUDA ", RETIA_CUDA, "\ninstruction set ", at::get_cpu_capability(), '\n');
}

Json program_description() {
  return {{"version", RETIA_VERSION},
          {"commit", RETIA_COMMIT},
          {"torch", TORCH_VERSION},
          {"cuda", RETIA_CUDA},
          {"instruction_set", at::get_cpu_capability()}};
}

}  // namespace retia
