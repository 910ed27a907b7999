#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace retia {

/// Returns a digest of `bytes` as 40 hexadecimal digits: SHA-1 over the SHA-1 digests of blocks of
/// 1 MiB. It tells contents apart that differ by accident, and is no
/// protection against forgery.
std::string content_digest(std::string_view bytes);

/// Describes a file by its content: {"name", "size", "digest"}, and by what tells whether the file
/// has been touched: {"inode", "modified", "changed"}. Where the latter and the size are those in
/// `known`, an earlier description or null, the digest is taken from there instead of reading the
/// file. Throws one line that names the file where it cannot be read.
nlohmann::json describe_file(const std::filesystem::path& path,
                             const nlohmann::json& known = nullptr);

}  // namespace retia
