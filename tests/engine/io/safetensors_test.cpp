#include "retia/engine/io/safetensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

using nlohmann::json;

namespace retia {
namespace {

const std::vector<at::ScalarType> kEveryDtype = {at::kDouble, at::kFloat, at::kHalf,  at::kBFloat16,
                                                 at::kLong,   at::kInt,   at::kShort, at::kChar,
                                                 at::kByte,   at::kBool};

TensorFile example() {
  TensorFile file{.tensors = {}, .metadata = {{"made by", "Retia ä \"\n"}}};
  for (const at::ScalarType dtype : kEveryDtype) {
    file.tensors[c10::toString(dtype)] = at::arange(6).reshape({2, 3}).to(dtype);
  }
  file.tensors["scalar"] = at::ones({}) * 0.1;
  file.tensors["empty"] = at::empty({0, 4});
  file.tensors["transposed"] = at::arange(6, at::kFloat).reshape({2, 3}).t();
  return file;
}

void expect_equal(const TensorFile& read, const TensorFile& written) {
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    const at::Tensor& found = read.tensors.at(name);
    EXPECT_EQ(found.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(found.equal(tensor)) << name;
    EXPECT_TRUE(found.is_contiguous()) << name;
  }
}

/// A safetensors file with this header and `n_data` zeros, written by hand.
void write_by_hand(const std::filesystem::path& path, const std::string& header, size_t n_data) {
  const uint64_t length = header.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  write_atomically(path, bytes + header + std::string(n_data, '\0'));
}

TEST(Safetensors, ReadBackWhatWasWritten) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", example());
  expect_equal(read_safetensors(folder / "a"), example());
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST(Safetensors, ReadBackAnEmptyFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", {});
  expect_equal(read_safetensors(folder / "a"), {});
}

TEST(Safetensors, AlignEveryTensorToItsElements) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", example());
  const std::string bytes = read_file(folder / "a");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  EXPECT_EQ(length % 8, 0u);
  const TensorFile file = example();
  const json header = json::parse(bytes.substr(8, length));
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      const auto begin = entry["data_offsets"][0].get<uint64_t>();
      EXPECT_EQ(begin % file.tensors.at(name).element_size(), 0u) << name;
    }
  }
}

TEST(Safetensors, KeepNoGraph) {
  const TemporaryFolder folder;
  const at::Tensor weight = at::ones({2}).requires_grad_(true);
  write_safetensors(folder / "a", {{{"w", weight * 2}}, {}});
  EXPECT_FALSE(read_safetensors(folder / "a").tensors.at("w").requires_grad());
}

TEST(Safetensors, NameAFileTruncatedAnywhere) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  write_safetensors(path, example());
  const std::string bytes = read_file(path);
  for (size_t n = 0; n < bytes.size(); ++n) {
    write_plainly(path, std::string_view(bytes).substr(0, n));
    const std::string error = error_of([&] { read_safetensors(path); });
    ASSERT_EQ(error.rfind(path.string() + ": ", 0), 0u) << n << ": " << error;
    ASSERT_NE(error.find("truncated"), std::string::npos) << n << ": " << error;
  }
}

TEST(Safetensors, RefuseWrongHeaders) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  const auto error = [&](const std::string& header, size_t n_data) {
    write_by_hand(path, header, n_data);
    const std::string text = error_of([&] { read_safetensors(path); });
    EXPECT_EQ(text.rfind(path.string() + ": ", 0), 0u) << text;
    return text.substr(std::min(text.size(), path.string().size() + 2));
  };
  const std::string good = R"("a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]})";
  EXPECT_EQ(
      error("{" + good + R"(, "b": {"dtype": "U8", "shape": [2], "data_offsets": [6, 8]}})", 8),
      "tensor 'b' overlaps another tensor");
  EXPECT_EQ(
      error("{" + good + R"(, "b": {"dtype": "U8", "shape": [2], "data_offsets": [9, 11]}})", 11),
      "1 bytes before tensor 'b' belong to no tensor");
  EXPECT_EQ(error("{" + good + "}", 9), "the last 1 bytes belong to no tensor");
  EXPECT_EQ(
      error("{" + good + "}", 7),
      "tensor 'a' ends at byte 8 of the data, which has 7: the file was truncated or damaged");
  EXPECT_EQ(error(R"({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}})", 8),
            "tensor 'a' needs 12 bytes for its shape, but its offsets span 8");
  EXPECT_EQ(error(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}})", 8),
            "tensor 'a' ends before it begins");
  EXPECT_EQ(error(R"({"a": {"dtype": "F32", "shape": [9223372036854775807, 9223372036854775807],
                      "data_offsets": [0, 8]}})",
                  8),
            "tensor 'a' is too large: its shape overflows");
  EXPECT_EQ(error(R"({"a": {"dtype": "F8", "shape": [2], "data_offsets": [0, 8]}})", 8),
            "tensor 'a' has dtype \"F8\"; known: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
  EXPECT_EQ(error(R"({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}})", 8),
            R"(tensor 'a' needs dtype, shape and two data_offsets, but its entry is )"
            R"({"data_offsets":[0,8],"dtype":"F32","shape":[-2]})");
  EXPECT_EQ(error(R"({"__metadata__": {"a": 1}})", 0), "expected strings in __metadata__");
  EXPECT_EQ(error("[1]", 0), "expected a safetensors file, but its header is no JSON object");
  EXPECT_EQ(error("{", 0), "expected a safetensors file, but its header is no JSON object");
}

TEST(Safetensors, RefuseAHeaderLongerThanAny) {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "A text, no tensors.");
  EXPECT_NE(error_of([&] { read_safetensors(folder / "a"); }).find("would be longer than any"),
            std::string::npos);
}

TEST(Safetensors, RefuseBytesThatAreNoBool) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  write_safetensors(path, {{{"b", at::ones({1}, at::kBool)}}, {}});
  std::string bytes = read_file(path);
  bytes.back() = 2;
  write_atomically(path, bytes);
  EXPECT_EQ(error_of([&] { read_safetensors(path); }),
            path.string() + ": tensor 'b' is BOOL, but has bytes other than 0 and 1");
}

TEST(Safetensors, RefuseToWriteWhatNoFileCanHold) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  const auto error = [&](const std::string& name, const at::Tensor& tensor) {
    return error_of([&] { write_safetensors(path, {{{name, tensor}}, {}}); });
  };
  EXPECT_EQ(
      error("a", at::zeros({1}, at::kComplexFloat)),
      path.string() + ": tensor 'a' has dtype ComplexFloat, which safetensors files cannot hold");
  EXPECT_EQ(error("a", {}), path.string() + ": tensor 'a' is undefined");
  EXPECT_EQ(error("__metadata__", at::ones({1})),
            path.string() + ": no tensor can be named __metadata__");
  EXPECT_NE(error("\xff", at::ones({1})).find("names and metadata must be UTF-8"),
            std::string::npos);
  EXPECT_EQ(folder.n_files(), 0u);
}

TEST(Safetensors, NameAMissingFile) {
  EXPECT_EQ(error_of([] { read_safetensors("/no/such"); }),
            "/no/such: cannot be opened: No such file or directory");
}

/// The Python that set-up installs, else the system's.
class Python {
 public:
  static bool has_safetensors() { return run("import safetensors.torch"); }
  static bool run(const std::string& code) {
    const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
    const auto installed = root / ".venv/bin/python";
    const std::string program =
        std::filesystem::exists(installed) ? installed.string() : std::string("python3");
    return std::system((program + " -c '" + code + "' 2>/dev/null").c_str()) == 0;
  }
};

TEST(Safetensors, AreReadByPython) {
  if (!Python::has_safetensors()) {
    GTEST_SKIP() << "no Python with the package safetensors";
  }
  const TemporaryFolder folder;
  write_safetensors(folder / "a", example());
  EXPECT_TRUE(Python::run(R"(
import torch, safetensors
with safetensors.safe_open(")" +
                          (folder / "a").string() + R"(", "pt") as f:
    assert f.metadata() == {"made by": "Retia ä \"\n"}, f.metadata()
    assert len(f.keys()) == 13
    for name, dtype in dict(Double=torch.double, Float=torch.float, Half=torch.half,
                            BFloat16=torch.bfloat16, Long=torch.long, Int=torch.int,
                            Short=torch.short, Char=torch.int8, Byte=torch.uint8,
                            Bool=torch.bool).items():
        expected = torch.arange(6).reshape(2, 3).to(dtype)
        assert f.get_tensor(name).dtype == dtype and f.get_tensor(name).equal(expected), name
    assert f.get_tensor("scalar").equal(torch.ones(()) * 0.1)
    assert f.get_tensor("empty").shape == (0, 4)
    assert f.get_tensor("transposed").equal(torch.arange(6.0).reshape(2, 3).t())
)"));
}

TEST(Safetensors, ReadWhatPythonWrote) {
  if (!Python::has_safetensors()) {
    GTEST_SKIP() << "no Python with the package safetensors";
  }
  const TemporaryFolder folder;
  ASSERT_TRUE(Python::run(R"(
import torch, safetensors.torch
tensors = {str(d).replace("torch.", ""): torch.arange(6).reshape(2, 3).to(d) for d in
           (torch.double, torch.float, torch.half, torch.bfloat16, torch.long, torch.int,
            torch.short, torch.int8, torch.uint8, torch.bool)}
tensors["scalar"] = torch.ones(()) * 0.1
tensors["empty"] = torch.empty(0, 4)
safetensors.torch.save_file(tensors, ")" +
                          (folder / "a").string() + R"(", {"made by": "Python"})
)"));
  TensorFile expected{.tensors = {{"scalar", at::ones({}) * 0.1}, {"empty", at::empty({0, 4})}},
                      .metadata = {{"made by", "Python"}}};
  const std::vector<std::string> names = {"float64", "float32", "float16", "bfloat16", "int64",
                                          "int32",   "int16",   "int8",    "uint8",    "bool"};
  for (size_t i = 0; i < names.size(); ++i) {
    expected.tensors[names[i]] = at::arange(6).reshape({2, 3}).to(kEveryDtype[i]);
  }
  expect_equal(read_safetensors(folder / "a"), expected);
}

}  // namespace
}  // namespace retia
