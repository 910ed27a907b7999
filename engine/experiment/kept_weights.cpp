#include "retia/engine/experiment/kept_weights.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace retia {

KeptWeights::KeptWeights(std::filesystem::path folder, int64_t keep)
    : folder_(std::move(folder)), keep_(keep) {
  TORCH_CHECK(keep >= 0, "experiment: keep_weights must be at least 0, got ", keep);
}

void KeptWeights::tell(const Proposal& trial, const std::optional<Standing>& reached) {
  if (trial.continues >= 0 && open_.erase(trial.continues) > 0) {
    drop(trial.continues);
  }
  if (reached && trial.epochs > 0) {
    open_.insert(trial.id);
  }
  if (reached) {
    best_.insert(*reached);
  }
  if (static_cast<int64_t>(best_.size()) > keep_) {
    const auto worst = std::prev(best_.end());
    const int64_t id = worst->second;
    best_.erase(worst);
    drop(id);
  }
  drop(trial.id);
}

void KeptWeights::finish() {
  for (const int64_t id : std::exchange(open_, {})) {
    drop(id);
  }
}

std::filesystem::path KeptWeights::of(int64_t id) const {
  const std::filesystem::path path = folder_ / std::to_string(id);
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

void KeptWeights::drop(int64_t id) const {
  if (open_.count(id) == 0 && !is_best(id)) {
    std::error_code ignored;  // what cannot be removed costs disk, not the experiment
    std::filesystem::remove_all(folder_ / std::to_string(id), ignored);
  }
}

bool KeptWeights::is_best(int64_t id) const {
  return std::any_of(best_.begin(), best_.end(),
                     [id](const Standing& b) { return b.second == id; });
}

}  // namespace retia
