#include "retia/engine/io/safetensors.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "retia/engine/io/files.h"

namespace retia {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

// As Python's safetensors limits it.
constexpr uint64_t kLongestHeader = 100'000'000;

struct NamedDtype {
  const char* name;
  at::ScalarType dtype;
};

constexpr std::array<NamedDtype, 10> kDtypes = {{{"F64", at::kDouble},
                                                 {"F32", at::kFloat},
                                                 {"F16", at::kHalf},
                                                 {"BF16", at::kBFloat16},
                                                 {"I64", at::kLong},
                                                 {"I32", at::kInt},
                                                 {"I16", at::kShort},
                                                 {"I8", at::kChar},
                                                 {"U8", at::kByte},
                                                 {"BOOL", at::kBool}}};

/// The entry of one tensor in the header.
struct Entry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

std::string quoted(const std::string& name) { return "tensor '" + name + "'"; }

uint64_t n_bytes(const Entry& entry, std::string_view where) {
  uint64_t result = at::elementSize(entry.dtype);
  for (const int64_t size : entry.shape) {
    TORCH_CHECK(!__builtin_mul_overflow(result, static_cast<uint64_t>(size), &result), where, ": ",
                quoted(entry.name), " is too large: its shape overflows");
  }
  return result;
}

at::ScalarType dtype_named(const json& name, std::string_view where, const std::string& tensor) {
  for (const NamedDtype& known : kDtypes) {
    if (name == known.name) {
      return known.dtype;
    }
  }
  TORCH_CHECK(false, where, ": ", quoted(tensor), " has dtype ", name.dump(),
              "; known: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
}

bool is_list_of_counts(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& count) {
           return count.is_number_unsigned() && count.get<uint64_t>() <= INT64_MAX;
         });
}

Entry parse_entry(const std::string& name, const json& given, std::string_view where) {
  const bool well_formed =
      given.is_object() && given.contains("dtype") && given.contains("shape") &&
      is_list_of_counts(given["shape"]) && given.contains("data_offsets") &&
      is_list_of_counts(given["data_offsets"]) && given["data_offsets"].size() == 2;
  TORCH_CHECK(well_formed, where, ": ", quoted(name),
              " needs dtype, shape and two data_offsets, but its entry is ", given.dump());
  Entry entry{.name = name,
              .dtype = dtype_named(given["dtype"], where, name),
              .shape = given["shape"].get<std::vector<int64_t>>(),
              .begin = given["data_offsets"][0].get<uint64_t>(),
              .end = given["data_offsets"][1].get<uint64_t>()};
  TORCH_CHECK(entry.begin <= entry.end, where, ": ", quoted(name), " ends before it begins");
  const uint64_t expected = n_bytes(entry, where);
  TORCH_CHECK(entry.end - entry.begin == expected, where, ": ", quoted(name), " needs ", expected,
              " bytes for its shape, but its offsets span ", entry.end - entry.begin);
  return entry;
}

/// Entries in the order of their data. Throws unless they cover `n_data` bytes without overlap or
/// hole.
std::vector<Entry> parse_entries(const json& header, uint64_t n_data, std::string_view where) {
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(name, value, where));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    TORCH_CHECK(entry.end <= n_data, where, ": ", quoted(entry.name), " ends at byte ", entry.end,
                " of the data, which has ", n_data, ": the file was truncated or damaged");
    TORCH_CHECK(entry.begin >= end, where, ": ", quoted(entry.name), " overlaps another tensor");
    TORCH_CHECK(entry.begin == end, where, ": ", entry.begin - end, " bytes before ",
                quoted(entry.name), " belong to no tensor");
    end = entry.end;
  }
  TORCH_CHECK(end == n_data, where, ": the last ", n_data - end, " bytes belong to no tensor");
  return entries;
}

std::map<std::string, std::string> parse_metadata(const json& header, std::string_view where) {
  const auto found = header.find("__metadata__");
  if (found == header.end()) {
    return {};
  }
  const bool well_formed =
      found->is_object() && std::all_of(found->begin(), found->end(),
                                        [](const json& value) { return value.is_string(); });
  TORCH_CHECK(well_formed, where, ": expected strings in __metadata__");
  return found->get<std::map<std::string, std::string>>();
}

/// Reads a file from its front, and knows how much of it is left.
class FileReader {
 public:
  explicit FileReader(const std::filesystem::path& path)
      : where_(path.string()), file_(path, std::ios::binary) {
    TORCH_CHECK(file_.is_open(), where_, ": cannot be opened: ", std::strerror(errno));
    std::error_code failure;
    n_left_ = std::filesystem::file_size(path, failure);
    TORCH_CHECK(!failure, where_, ": cannot be read: ", failure.message());
  }

  uint64_t n_left() const { return n_left_; }

  void read(char* to, uint64_t n) {
    TORCH_INTERNAL_ASSERT(n <= n_left_);
    file_.read(to, static_cast<std::streamsize>(n));
    TORCH_CHECK(file_.good(), where_, ": cannot be read to its end");
    n_left_ -= n;
  }

 private:
  std::string where_;
  std::ifstream file_;
  uint64_t n_left_ = 0;
};

json read_header(FileReader& file, std::string_view where) {
  uint64_t length = 0;
  TORCH_CHECK(file.n_left() >= sizeof(length), where, ": expected a safetensors file, but it has ",
              file.n_left(), " bytes: it was truncated");
  std::array<char, sizeof(length)> prefix;
  file.read(prefix.data(), prefix.size());
  std::memcpy(&length, prefix.data(), prefix.size());
  TORCH_CHECK(length <= kLongestHeader, where, ": expected a safetensors file, but its header of ",
              length, " bytes would be longer than any");
  TORCH_CHECK(length <= file.n_left(), where, ": its header has ", length, " bytes, but only ",
              file.n_left(), " are left: the file was truncated");
  std::string text(length, '\0');
  file.read(text.data(), length);
  json header = json::parse(text, nullptr, false);
  TORCH_CHECK(header.is_object(), where,
              ": expected a safetensors file, but its header is no JSON object");
  return header;
}

at::Tensor read_tensor(FileReader& file, const Entry& entry, std::string_view where) {
  at::Tensor tensor = at::empty(entry.shape, entry.dtype);
  auto* const to = static_cast<char*>(tensor.data_ptr());
  const uint64_t n = entry.end - entry.begin;
  file.read(to, n);
  if (entry.dtype == at::kBool) {
    TORCH_CHECK(std::all_of(to, to + n, [](char byte) { return byte == 0 || byte == 1; }), where,
                ": ", quoted(entry.name), " is BOOL, but has bytes other than 0 and 1");
  }
  return tensor;
}

json header_entry(const at::Tensor& tensor, uint64_t begin) {
  return {{"dtype", safetensors_dtype(tensor)},
          {"shape", tensor.sizes().vec()},
          {"data_offsets", {begin, begin + tensor.nbytes()}}};
}

}  // namespace

TensorFile read_safetensors(const std::filesystem::path& path) {
  const std::string where = path.string();
  FileReader file(path);
  const json header = read_header(file, where);
  TensorFile result{.tensors = {}, .metadata = parse_metadata(header, where)};
  for (const Entry& entry : parse_entries(header, file.n_left(), where)) {
    result.tensors[entry.name] = read_tensor(file, entry, where);
  }
  return result;
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : file.tensors) {
    TORCH_CHECK(name != "__metadata__", path.string(), ": no tensor can be named __metadata__");
    TORCH_CHECK(tensor.defined(), path.string(), ": ", quoted(name), " is undefined");
    TORCH_CHECK(!safetensors_dtype(tensor).empty(), path.string(), ": ", quoted(name),
                " has dtype ", tensor.scalar_type(), ", which safetensors files cannot hold");
    ordered.emplace_back(name, storable(tensor));
  }
  // The widest elements first, so that each tensor begins at a multiple of its own.
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });

  json header = json::object();
  if (!file.metadata.empty()) {
    header["__metadata__"] = file.metadata;
  }
  std::vector<std::string_view> parts(2);
  uint64_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    header[name] = header_entry(tensor, end);
    end += tensor.nbytes();
    parts.push_back(raw_bytes(tensor));
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception& error) {
    TORCH_CHECK(false, path.string(), ": names and metadata must be UTF-8: ", error.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  TORCH_CHECK(text.size() <= kLongestHeader, path.string(), ": its header would have ", text.size(),
              " bytes, but ", kLongestHeader, " is the most that readers take");
  const uint64_t length = text.size();
  parts[0] = {reinterpret_cast<const char*>(&length), sizeof(length)};
  parts[1] = text;
  write_atomically(path, parts);
}

at::Tensor storable(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU).resolve_neg().contiguous();
}

std::string safetensors_dtype(const at::Tensor& tensor) {
  for (const NamedDtype& known : kDtypes) {
    if (tensor.scalar_type() == known.dtype) {
      return known.name;
    }
  }
  return "";
}

std::string_view raw_bytes(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

}  // namespace retia
