#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {

inline void write_gzipped(const std::filesystem::path& path, const std::string& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
            static_cast<int>(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

/// An IDX file's bytes: magic and sizes as big-endian words, then the values.
inline std::string idx_bytes(uint32_t magic, const std::vector<uint32_t>& sizes,
                             const std::string& values) {
  std::string bytes;
  const auto append = [&](uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes += static_cast<char>(word >> shift & 0xff);
    }
  };
  append(magic);
  for (const uint32_t size : sizes) {
    append(size);
  }
  return bytes + values;
}

/// `n` bytes 0, 1, 2 …, modulo `modulus`.
inline std::string counting_bytes(size_t n, int modulus = 256) {
  std::string bytes(n, '\0');
  for (size_t i = 0; i < n; ++i) {
    bytes[i] = static_cast<char>(i % modulus);
  }
  return bytes;
}

/// The four files of a set of 4 x 3 images: 20 for training (gzipped), 10 for the test (plain).
inline void write_idx_folder(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_gzipped(folder / "train-images-idx3-ubyte.gz",
                idx_bytes(2051, {20, 4, 3}, counting_bytes(20 * 12)));
  write_gzipped(folder / "train-labels-idx1-ubyte.gz",
                idx_bytes(2049, {20}, counting_bytes(20, 10)));
  write_plainly(folder / "t10k-images-idx3-ubyte",
                idx_bytes(2051, {10, 4, 3}, counting_bytes(10 * 12)));
  write_plainly(folder / "t10k-labels-idx1-ubyte", idx_bytes(2049, {10}, counting_bytes(10, 10)));
}

}  // namespace retia
