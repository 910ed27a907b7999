#pragma once

#include <filesystem>

namespace retia {

/// Creates the folder and its parents. Throws one line with the path and the system's reason.
void make_folders(const std::filesystem::path& path);

}  // namespace retia
