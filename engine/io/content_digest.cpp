#include "retia/engine/io/content_digest.h"

#include <c10/util/Exception.h>
#include <c10/util/hash.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "retia/engine/io/files.h"

namespace retia {
namespace {

using nlohmann::json;

constexpr size_t kBlock = size_t{1} << 20;

/// c10::sha1 leaves its state undefined for an empty text, so every text here has a first letter.
std::string sha1(std::string_view bytes) { return c10::sha1(std::string("#").append(bytes)).str(); }

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

std::string content_digest(std::string_view bytes) {
  std::string all = std::to_string(bytes.size());
  for (size_t begin = 0; begin < bytes.size(); begin += kBlock) {
    all += sha1(bytes.substr(begin, kBlock));
  }
  return sha1(all);
}

json describe_file(const std::filesystem::path& path, const json& known) {
  struct stat found {};
  TORCH_CHECK(::stat(path.c_str(), &found) == 0, path.string(),
              ": cannot be read: ", std::strerror(errno));
  json described = {{"name", path.filename().string()},
                    {"size", static_cast<int64_t>(found.st_size)},
                    {"inode", static_cast<uint64_t>(found.st_ino)},
                    {"modified", nanoseconds(found.st_mtim)},
                    {"changed", nanoseconds(found.st_ctim)}};
  const bool is_untouched =
      known.is_object() && known.contains("digest") &&
      std::all_of(described.items().begin(), described.items().end(), [&](const auto& entry) {
        return known.value(entry.key(), json()) == entry.value();
      });
  described["digest"] = is_untouched ? known["digest"] : json(content_digest(read_file(path)));
  return described;
}

}  // namespace retia
