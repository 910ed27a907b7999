#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace retia {

/// The contents of a safetensors file: eight bytes of length (little-endian), a JSON header, raw
/// data. Dtypes: float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a safetensors file. The tensors are contiguous, on the CPU, and own their memory. Every
/// offset is checked: a truncated file, or tensors that overlap, leave holes or end beyond the
/// data, throw one line that names the file, and the tensor if one is at fault.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes a safetensors file atomically. Tensors may be on any device and have any strides.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// Returns the tensor in the form stored in files: detached, contiguous, on the CPU; the tensor
/// itself where it is so already.
at::Tensor storable(const at::Tensor& tensor);

/// Returns the name of the tensor's dtype in safetensors files, e.g. "BF16"; empty where there is
/// none.
std::string safetensors_dtype(const at::Tensor& tensor);

/// Returns the memory of a contiguous CPU tensor; valid as long as the tensor lives.
std::string_view raw_bytes(const at::Tensor& tensor);

}  // namespace retia
