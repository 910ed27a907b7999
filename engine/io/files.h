#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace retia {

/// The whole file. Throws one line with the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` by `bytes` as a whole: written to `path` + ".tmp", synchronised, renamed, the
/// folder synchronised. A reader, also one after a crash, meets the old file or the new one. On
/// failure (disk full, read-only) the temporary is removed, and the one line thrown names the path
/// and the reason. One writer at a time for a path.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The same for the concatenation of `parts`.
void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> parts);

/// Replaces `path` as a whole without waiting for the disk: a reader meets the old file or the new
/// one, unless the machine itself went down meanwhile. For what can be made again.
void write_unsynchronised(const std::filesystem::path& path, std::string_view bytes);

/// Throws, naming the file and the byte, when it is missing or is no JSON (a truncated one says
/// so).
nlohmann::json read_json(const std::filesystem::path& path);

/// Atomically; indented by two, with a newline at the end. Throws on NaN and infinity.
void write_json(const std::filesystem::path& path, const nlohmann::json& document);

/// Throws when a number in `document` is NaN or infinite, which JSON cannot hold; `where` opens the
/// message.
void check_finite(const nlohmann::json& document, std::string_view where);

/// Throws unless `document` carries our header, {"format": format, "version": version, …}.
void check_format(const nlohmann::json& document, std::string_view where, std::string_view format,
                  int64_t version);

/// read_json, then check_format.
nlohmann::json read_format(const std::filesystem::path& path, std::string_view format,
                           int64_t version);

}  // namespace retia
