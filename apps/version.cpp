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

}  // namespace retia
