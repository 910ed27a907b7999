#include "retia/engine/io/metrics.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "retia/engine/io/failed_write.h"
#include "retia/engine/io/files.h"

namespace retia {

using nlohmann::json;

MetricsWriter::MetricsWriter(std::filesystem::path path)
    : path_(std::move(path)),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  TORCH_CHECK(file_ >= 0, path_.string(), ": cannot be opened: ", reason_and_remedy(errno));
}

MetricsWriter::~MetricsWriter() { ::close(file_); }

void MetricsWriter::write(const json& values) {
  TORCH_CHECK(values.is_object(), path_.string(), ": expected an object of metrics, but got ",
              values.dump(-1, ' ', false, json::error_handler_t::replace));
  check_finite(values, path_.string());
  const std::string line = values.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  const int64_t before = size();
  const ssize_t n_written = ::write(file_, line.data(), line.size());
  if (n_written == static_cast<ssize_t>(line.size())) {
    return;
  }
  // A regular file takes a line in part only where the disk is full.
  const int failure = n_written < 0 ? errno : ENOSPC;
  const bool restored = ::ftruncate(file_, before) == 0;
  TORCH_CHECK(false, path_.string(), ": cannot be written: ", reason_and_remedy(failure),
              restored ? "" : "; its last line is incomplete");
}

int64_t MetricsWriter::position() {
  TORCH_CHECK(::fdatasync(file_) == 0, path_.string(),
              ": cannot be written: ", reason_and_remedy(errno));
  return size();
}

void MetricsWriter::rewind(int64_t position) {
  const int64_t n_bytes = size();
  TORCH_CHECK(position >= 0 && position <= n_bytes, path_.string(), ": expected at least ",
              position, " bytes, as the checkpoint says, but found ", n_bytes,
              ": restore the file, or start again with another --out");
  char last = '\n';
  const bool has_last = position == 0 || ::pread(file_, &last, 1, position - 1) == 1;
  TORCH_CHECK(has_last && last == '\n', path_.string(), ": no line ends at byte ", position,
              ", as the checkpoint says: restore the file, or start again with another --out");
  TORCH_CHECK(::ftruncate(file_, position) == 0, path_.string(),
              ": cannot be cut: ", std::strerror(errno));
}

void MetricsWriter::copy_to(const std::filesystem::path& path) const {
  std::filesystem::copy_file("/proc/self/fd/" + std::to_string(file_), path,
                             std::filesystem::copy_options::overwrite_existing);
}

int64_t MetricsWriter::size() const {
  struct stat status = {};
  TORCH_CHECK(::fstat(file_, &status) == 0, path_.string(),
              ": cannot be read: ", std::strerror(errno));
  return status.st_size;
}

}  // namespace retia
