#include "retia/engine/symbolic/architecture.h"

#include <c10/util/Exception.h>

#include "retia/engine/base/suggest.h"

namespace retia {

const Decision& Architecture::at(const std::string& label) const {
  const auto found = decisions_.find(label);
  if (found == decisions_.end()) {
    std::vector<std::string> labels;
    for (const auto& [known, decision] : decisions_) {
      labels.push_back(known);
    }
    TORCH_CHECK(false, "the architecture decides nothing for '", label,
                "', a choice of the space with the options given", suggestion(label, labels));
  }
  return found->second;
}

uint64_t Architecture::hash() const {
  uint64_t hash = 1469598103934665603ULL;  // FNV-1a, 64 bit: stable across machines and runs
  const auto add = [&hash](uint64_t byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  for (const auto& [label, decision] : decisions_) {
    for (const char c : label) {
      add(static_cast<unsigned char>(c));
    }
    add(0xff);
    for (const int64_t index : decision.chosen) {
      for (int shift = 0; shift < 64; shift += 8) {
        add((static_cast<uint64_t>(index) >> shift) & 0xff);
      }
    }
    add(0xfe);
  }
  return hash;
}

std::string Architecture::to_string() const {
  std::string text = "{";
  for (const auto& [label, decision] : decisions_) {
    text += (text.size() > 1 ? ", " : "") + label + ": ";
    std::string chosen;
    for (const int64_t index : decision.chosen) {
      chosen += (chosen.empty() ? "" : ", ") + std::to_string(index);
    }
    text += decision.chosen.size() == 1 ? chosen : "[" + chosen + "]";
  }
  return text + "}";
}

}  // namespace retia
