#include "retia/engine/io/failed_write.h"

#include <cerrno>
#include <cstring>

namespace retia {

std::string reason_and_remedy(int failure) {
  std::string reason = std::strerror(failure);
  switch (failure) {
    case ENOSPC:
    case EDQUOT:
      return reason + ": make room and give the command again, that of a run with --resume";
    case EFBIG:
      return reason +
             ": raise the limit (ulimit -f) and give the command again, that of a run with "
             "--resume";
    case EROFS:
    case EACCES:
      return reason + ": give a folder that can be written";
    default:
      return reason;
  }
}

}  // namespace retia
