#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace retia {

/// The users who may read a file that is written: all whom the umask admits, or its owner alone.
enum class Readers { All, Owner };

/// Returns the contents of a file. Throws one line with the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Replaces the file `path` by `bytes`, atomically and durably: writes to `path` + ".tmp", syncs,
/// renames, and syncs the folder. A reader, even after a crash, sees the old file or the new one.
/// On failure (disk full, read-only) the temporary file is removed, and one line with the path and
/// the reason is thrown. One writer at a time per path.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Replaces the file `path` by the concatenation of `parts`, atomically and durably.
void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> parts);

/// Replaces the file `path` atomically without waiting for the disk: a reader sees the old file or
/// the new one, except after a crash of the machine. For data that can be made again.
void write_unsynchronised(const std::filesystem::path& path, std::string_view bytes,
                          Readers readers = Readers::All);

/// Reads a JSON file. Throws one line that names the file and the byte where it is missing,
/// truncated or not JSON.
nlohmann::json read_json(const std::filesystem::path& path);

/// Writes a JSON file atomically, indented by two, with a newline at the end. Throws on NaN and
/// infinity.
void write_json(const std::filesystem::path& path, const nlohmann::json& document,
                Readers readers = Readers::All);

/// Throws when `document` contains NaN or infinity, which JSON cannot hold. The message begins with
/// `where`.
void check_finite(const nlohmann::json& document, std::string_view where);

/// Throws unless `document` has the header {"format": format, "version": version, …}.
void check_format(const nlohmann::json& document, std::string_view where, std::string_view format,
                  int64_t version);

/// Reads a JSON file and checks its header: read_json, then check_format.
nlohmann::json read_format(const std::filesystem::path& path, std::string_view format,
                           int64_t version);

}  // namespace retia
