#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace retia {

/// What one safetensors file holds: eight bytes of length (little-endian), a JSON header, raw data.
/// Tensors of float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a safetensors file; its tensors are contiguous, on the CPU, and own their memory. Every
/// offset is checked: a file that is truncated or whose tensors overlap, leave holes or end beyond
/// the data throws one line that names the file, and the tensor where one is at fault.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes a safetensors file atomically. Tensors may be on any device and of any strides.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// The tensor as files hold it: detached, on the CPU, contiguous; itself where it already is so.
at::Tensor storable(const at::Tensor& tensor);

/// The name of the tensor's dtype in safetensors files, e.g. "BF16"; empty when they have none.
std::string safetensors_dtype(const at::Tensor& tensor);

/// The memory of a contiguous CPU tensor; valid as long as the tensor is.
std::string_view raw_bytes(const at::Tensor& tensor);

}  // namespace retia
