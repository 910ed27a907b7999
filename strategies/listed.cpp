#include "retia/strategies/listed.h"

namespace retia {

Strategy::Answer ListedStrategy::ask() {
  if (next_ == architectures_.size()) {
    return Exhausted{};
  }
  const auto id = static_cast<int64_t>(next_);
  return Proposal{.id = id, .architecture = architectures_[next_++]};
}

}  // namespace retia
