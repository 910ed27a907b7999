#include "retia/trainers/data/compressed_file.h"

#include <c10/util/Exception.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace retia {
namespace {

constexpr size_t kChunk = 1 << 20;

struct CloseFile {
  void operator()(gzFile file) const { gzclose_r(file); }
};

}  // namespace

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  for (const char* const ending : {"", ".gz"}) {
    std::filesystem::path path = folder / (name + ending);
    if (std::filesystem::is_regular_file(path)) {
      return path;
    }
  }
  TORCH_CHECK(false, "there is neither ", (folder / name).string(),
              " nor the same with .gz; --data-dir names the folder that holds it");
}

std::string read_decompressed(const std::filesystem::path& path) {
  TORCH_CHECK(!std::filesystem::is_directory(path), path.string(),
              " is a folder, but a file is needed");
  const std::unique_ptr<gzFile_s, CloseFile> file(gzopen(path.c_str(), "rb"));
  TORCH_CHECK(file != nullptr, "cannot open ", path.string(), ": ", std::strerror(errno));
  std::string bytes;
  for (;;) {
    const size_t filled = bytes.size();
    bytes.resize(filled + kChunk);
    const int n_read = gzread(file.get(), bytes.data() + filled, kChunk);
    int error = Z_OK;
    const char* const reason = gzerror(file.get(), &error);
    TORCH_CHECK(n_read >= 0 && error == Z_OK, "cannot read ", path.string(),
                error == Z_BUF_ERROR ? ": it is cut short" : ": its data are damaged (",
                error == Z_BUF_ERROR ? "" : reason, error == Z_BUF_ERROR ? "" : ")",
                "; fetch it again");
    bytes.resize(filled + n_read);
    if (n_read == 0) {
      return bytes;
    }
  }
}

}  // namespace retia
