#include "retia/engine/io/folders.h"

#include <c10/util/Exception.h>

#include "retia/engine/io/failed_write.h"

namespace retia {

void make_folders(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  TORCH_CHECK(!failure, path.string(), ": cannot be made: ", reason_and_remedy(failure.value()));
}

}  // namespace retia
