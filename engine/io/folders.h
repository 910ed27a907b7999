#pragma once

#include <filesystem>

namespace retia {

/// Makes the folder and those above it. Throws one line with the path and the system's reason.
void make_folders(const std::filesystem::path& path);

}  // namespace retia
