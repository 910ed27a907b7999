#include "retia/engine/io/files.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "retia/engine/io/failed_write.h"

namespace retia {
namespace {

using nlohmann::json;

/// A file that closes itself.
class OpenFile {
 public:
  OpenFile(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  int value() const { return value_; }

 private:
  int value_;
};

/// 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n_written = ::write(descriptor, bytes.data(), bytes.size());
    if (n_written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n_written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

enum class Wait { No, ForDisk };

/// The way in which a file is written.
struct Writing {
  Wait wait = Wait::ForDisk;
  Readers readers = Readers::All;
};

/// 0, or the errno of the step that failed.
int write_file(const std::filesystem::path& path, std::span<const std::string_view> parts,
               Writing how) {
  const OpenFile file(path, O_WRONLY | O_CREAT | O_TRUNC,
                      how.readers == Readers::Owner ? 0600 : 0666);
  if (file.value() < 0) {
    return errno;
  }
  for (const std::string_view part : parts) {
    if (const int failure = write_all(file.value(), part); failure != 0) {
      return failure;
    }
  }
  return how.wait == Wait::No || ::fsync(file.value()) == 0 ? 0 : errno;
}

int sync_folder(const std::filesystem::path& folder) {
  const OpenFile descriptor(folder, O_RDONLY | O_DIRECTORY);
  if (descriptor.value() < 0) {
    return errno;
  }
  // Some network file systems cannot synchronise a folder, and say EINVAL.
  return ::fsync(descriptor.value()) == 0 || errno == EINVAL ? 0 : errno;
}

/// 0, or the errno of the step that failed.
int replace_file(const std::filesystem::path& path, const std::filesystem::path& temporary,
                 std::span<const std::string_view> parts, Writing how) {
  if (const int failure = write_file(temporary, parts, how); failure != 0) {
    return failure;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return errno;
  }
  return how.wait == Wait::No ? 0 : sync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

void write(const std::filesystem::path& path, std::span<const std::string_view> parts,
           Writing how) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  if (const int failure = replace_file(path, temporary, parts, how); failure != 0) {
    ::unlink(temporary.c_str());
    TORCH_CHECK(false, path.string(), ": cannot be written: ", reason_and_remedy(failure));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const OpenFile file(path, O_RDONLY);
  TORCH_CHECK(file.value() >= 0, path.string(), ": cannot be opened: ", std::strerror(errno));
  std::string bytes;
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t n_read = ::read(file.value(), buffer.data(), buffer.size());
    if (n_read == 0) {
      return bytes;
    }
    TORCH_CHECK(n_read > 0 || errno == EINTR, path.string(),
                ": cannot be read: ", std::strerror(errno));
    bytes.append(buffer.data(), n_read > 0 ? static_cast<size_t>(n_read) : 0);
  }
}

void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_atomically(path, std::span(&bytes, 1));
}

void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> parts) {
  write(path, parts, {});
}

void write_unsynchronised(const std::filesystem::path& path, std::string_view bytes,
                          Readers readers) {
  write(path, std::span(&bytes, 1), {.wait = Wait::No, .readers = readers});
}

json read_json(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    TORCH_CHECK(error.byte <= text.size(), path.string(),
                ": expected JSON, but the file ends at byte ", text.size(),
                " in the middle of it: it was truncated");
    TORCH_CHECK(false, path.string(), ": expected JSON, but byte ", error.byte, " of ", text.size(),
                " fits none");
  } catch (const json::exception& error) {
    TORCH_CHECK(false, path.string(), ": expected JSON, but: ", error.what());
  }
}

void write_json(const std::filesystem::path& path, const json& document, Readers readers) {
  check_finite(document, path.string());
  std::string text;
  try {
    text = document.dump(2);
  } catch (const json::exception& error) {
    TORCH_CHECK(false, path.string(), ": cannot be written as JSON: ", error.what());
  }
  text += "\n";
  const std::string_view bytes = text;
  write(path, std::span(&bytes, 1), {.readers = readers});
}

void check_finite(const json& document, std::string_view where) {
  if (document.is_number_float()) {
    const double value = document.get<double>();
    TORCH_CHECK(std::isfinite(value), where, ": expected finite numbers, but got ", value);
  } else if (document.is_structured()) {
    for (const auto& [key, value] : document.items()) {
      check_finite(value, std::string(where) + ": " + key);
    }
  }
}

void check_format(const json& document, std::string_view where, std::string_view format,
                  int64_t version) {
  const bool has_header = document.is_object() && document.contains("format") &&
                          document["format"].is_string() && document.contains("version") &&
                          document["version"].is_number_integer();
  TORCH_CHECK(has_header, where, ": expected format ", format, " version ", version,
              ", found no \"format\" and \"version\": give a file that Retia wrote");
  const auto found_format = document["format"].get<std::string>();
  TORCH_CHECK(found_format == format, where, ": expected format ", format, " version ", version,
              ", found format ", found_format, ": give another file");
  const auto found_version = document["version"].get<int64_t>();
  TORCH_CHECK(found_version <= version, where, ": expected format ", format, " version ", version,
              ", found version ", found_version, ": use a newer Retia");
  TORCH_CHECK(found_version == version, where, ": expected format ", format, " version ", version,
              ", found version ", found_version, ": use an older Retia, or write it again");
}

json read_format(const std::filesystem::path& path, std::string_view format, int64_t version) {
  json document = read_json(path);
  check_format(document, path.string(), format, version);
  return document;
}

}  // namespace retia
