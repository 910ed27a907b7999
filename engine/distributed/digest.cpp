#include "retia/engine/distributed/digest.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "retia/engine/base/json_difference.h"
#include "retia/engine/io/safetensors.h"

namespace retia {
namespace {

constexpr size_t kLongestFact = 48;  // bytes of a value in a message
constexpr int64_t kTold = 512;       // bytes of a difference that ranks tell each other
constexpr size_t kNamed = 5;         // tensors that an error names at most

int64_t checksum(std::string_view bytes) {
  return static_cast<int64_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// "a, b and 3 more"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kNamed ? c10::str(text, " and ", names.size() - kNamed, " more") : text;
}

std::string brief(const Json& value) {
  const std::string text = value.dump();
  return text.size() <= kLongestFact ? text : text.substr(0, kLongestFact) + "…";
}

/// The text in the first bytes of a tensor of kTold bytes.
at::Tensor padded(const std::string& text) {
  const at::Tensor bytes = at::zeros({kTold}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), text.data(), std::min<size_t>(text.size(), kTold - 1));
  return bytes;
}

}  // namespace

void check_same_start(Ranks& ranks, const Json& facts) {
  const Json first = Json::parse(ranks.broadcast(facts.dump()));
  const std::vector<JsonChange> changes = changes_between(first, facts);
  std::string mine;
  if (!changes.empty()) {
    const JsonChange& change = changes.front();
    mine = c10::str(change.key, " is ", brief(change.was), " on rank 0 and ", brief(change.is),
                    " on rank ", ranks.rank());
  }
  const at::Tensor told = ranks.gather(padded(mine)).contiguous();
  for (int64_t r = 1; r < ranks.size(); ++r) {
    const std::string difference = reinterpret_cast<const char*>(told[r].const_data_ptr<uint8_t>());
    TORCH_CHECK(difference.empty(), "rank ", r, " differs from rank 0: ", difference,
                ": start the same program with the same options and data everywhere");
  }
}

void check_agreement(Ranks& ranks, const std::map<std::string, at::Tensor>& tensors,
                     const Json& state, const std::string& when) {
  std::vector<std::string> names;
  std::vector<int64_t> sums;
  std::string all_names;
  const auto add = [&](const std::string& name, std::string_view bytes) {
    names.push_back(name);
    all_names += name + "\n";
    sums.push_back(checksum(bytes));
  };
  for (const auto& [key, value] : state.items()) {
    add("state/" + key, value.dump());
  }
  for (const auto& [name, tensor] : tensors) {
    add(name, raw_bytes(storable(tensor)));
  }
  const at::Tensor counts =
      ranks.gather(at::tensor({static_cast<int64_t>(sums.size()), checksum(all_names)}, at::kLong));
  for (int64_t r = 1; r < ranks.size(); ++r) {
    TORCH_CHECK(counts[r].equal(counts[0]), when, " rank ", r,
                " holds other tensors than rank 0: start the same program with the same options "
                "everywhere");
  }
  const at::Tensor differs = ranks.gather(at::tensor(sums, at::kLong));
  std::vector<std::string> which, what;
  for (int64_t r = 1; r < ranks.size(); ++r) {
    if (!differs[r].equal(differs[0])) {
      which.push_back(std::to_string(r));
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const at::Tensor sum = differs.select(1, static_cast<int64_t>(i));
    if (!sum.eq(sum[0]).all().item<bool>()) {
      what.push_back(names[i]);
    }
  }
  TORCH_CHECK(which.empty(), when, which.size() == 1 ? " rank " : " ranks ", listed(which),
              which.size() == 1 ? " differs" : " differ", " from rank 0 in ", listed(what),
              ": is a machine faulty, or of another kind than the others? The last checkpoint "
              "stays (continue with --resume)");
}

}  // namespace retia
