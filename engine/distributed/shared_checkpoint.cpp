#include "retia/engine/distributed/shared_checkpoint.h"

#include <ATen/ops/empty.h>

#include "retia/engine/io/safetensors.h"

namespace retia {

using nlohmann::json;

Checkpoint broadcast(Ranks& ranks, const Checkpoint& mine) {
  json described = {{"state", mine.state}, {"tensors", json::array()}};
  for (const auto& [name, tensor] : mine.tensors) {
    described["tensors"].push_back(
        {name, static_cast<int>(tensor.scalar_type()), tensor.sizes().vec()});
  }
  const json first = json::parse(ranks.broadcast(described.dump()));
  Checkpoint shared{.state = first.at("state"), .tensors = {}};
  for (const json& entry : first.at("tensors")) {
    const std::string name = entry.at(0);
    at::Tensor tensor = ranks.is_first()
                            ? storable(mine.tensors.at(name))
                            : at::empty(entry.at(2).get<std::vector<int64_t>>(),
                                        static_cast<at::ScalarType>(entry.at(1).get<int>()));
    if (tensor.numel() > 0) {
      ranks.broadcast(tensor);
    }
    shared.tensors[name] = std::move(tensor);
  }
  return shared;
}

}  // namespace retia
