#pragma once

#include <filesystem>
#include <string>

#include "retia/engine/base/json.h"

namespace retia {

/// The architectures with which a search would end after each of its epochs, as files in the folder
/// `architectures` of its run. architecture.json of the run is the latest of them, so that a search
/// that was stopped or killed has one.
class EpochArchitectures {
 public:
  /// `run`: the run directory.
  explicit EpochArchitectures(std::filesystem::path run) : run_(std::move(run)) {}

  /// Writes the architecture (see architecture_json.h) of an epoch, counted from 0, and makes it
  /// the run's. `stage`: of a search in stages, counted from 0.
  void write(int64_t stage, int64_t epoch, const Json& architecture) const;

  /// Makes the architecture of an epoch the run's. `which`: "last", "best" (by the accuracy of the
  /// supernet on validation data) or the number of an epoch, counted from 1, of the last stage.
  /// Returns the number of the epoch. Throws where there is no such epoch.
  int64_t choose(const std::string& which) const;

 private:
  std::filesystem::path file(int64_t stage, int64_t number) const;
  int64_t last_stage() const;
  int64_t last_epoch(int64_t stage) const;
  int64_t best_epoch(int64_t stage) const;

  std::filesystem::path run_;
};

}  // namespace retia
