#pragma once

#include <filesystem>
#include <string>

namespace retia {

/// Returns the path `folder/name`, or `folder/name.gz` where only that exists. Throws one line that
/// names the missing file.
std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name);

/// Returns the contents of a file, decompressed where it has gzip format, whatever its name. Throws
/// one line that names the file where it cannot be read, or its compressed data are damaged or
/// truncated.
std::string read_decompressed(const std::filesystem::path& path);

}  // namespace retia
