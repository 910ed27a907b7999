#include "retia/apps/epoch_architectures.h"

#include <c10/util/Exception.h>

#include <fstream>

#include "retia/engine/io/files.h"
#include "retia/engine/io/folders.h"

namespace retia {
namespace {

/// Returns the number of an epoch in `text`.
int64_t number_in(const std::string& text) {
  const bool is_number = !text.empty() && text.size() < 10 &&
                         text.find_first_not_of("0123456789") == std::string::npos;
  TORCH_CHECK(is_number, "--epoch is best, last or the number of an epoch, but got '", text, "'");
  return std::stoll(text);
}

}  // namespace

void EpochArchitectures::write(int64_t stage, int64_t epoch, const Json& architecture) const {
  make_folders(run_ / "architectures");
  write_json(file(stage, epoch + 1), architecture);
  write_json(run_ / "architecture.json", architecture);
}

int64_t EpochArchitectures::choose(const std::string& which) const {
  const int64_t stage = last_stage();
  TORCH_CHECK(stage >= 0, run_.string(), " has the architecture of no epoch: either none is done, ",
              "or its algorithm finds the architecture by trials after the last one");
  const int64_t number = which == "last"   ? last_epoch(stage)
                         : which == "best" ? best_epoch(stage)
                                           : number_in(which);
  TORCH_CHECK(std::filesystem::exists(file(stage, number)), run_.string(),
              " has no architecture of epoch ", number, ": expected 1 to ", last_epoch(stage));
  write_json(run_ / "architecture.json", read_json(file(stage, number)));
  return number;
}

std::filesystem::path EpochArchitectures::file(int64_t stage, int64_t number) const {
  const std::string of_stage = stage == 0 ? "" : c10::str("stage", stage, "-");
  return run_ / "architectures" / c10::str(of_stage, "epoch-", number, ".json");
}

int64_t EpochArchitectures::last_stage() const {
  int64_t stage = -1;
  while (std::filesystem::exists(file(stage + 1, 1))) {
    ++stage;
  }
  return stage;
}

int64_t EpochArchitectures::last_epoch(int64_t stage) const {
  int64_t number = 1;
  while (std::filesystem::exists(file(stage, number + 1))) {
    ++number;
  }
  return number;
}

int64_t EpochArchitectures::best_epoch(int64_t stage) const {
  std::ifstream lines(run_ / "metrics.jsonl");
  int64_t best = 0;
  double accuracy = -1;
  for (std::string line; std::getline(lines, line);) {
    const Json metrics = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!metrics.is_object()) {
      continue;
    }
    const int64_t number = metrics.value("epoch", int64_t{0});
    if (number == 1) {  // of a later stage
      accuracy = -1;
    }
    const double reached = metrics.value("valid_accuracy", -1.0);
    if (reached > accuracy && std::filesystem::exists(file(stage, number))) {
      accuracy = reached;
      best = number;
    }
  }
  TORCH_CHECK(best > 0, run_.string(),
              " has validated no epoch: give --epoch last, or the number of one");
  return best;
}

}  // namespace retia
