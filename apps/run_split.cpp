#include "retia/apps/run_split.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <iostream>

namespace retia {
namespace {

using Hashes = std::vector<uint64_t>;

/// Returns how a part of a split differs from what it was; empty: it does not.
std::string difference(const char* part, const Hashes& before, const Hashes& now) {
  if (before == now) {
    return "";
  }
  return before.size() == now.size()
             ? c10::str("its ", now.size(), " ", part, " samples are others, or in another order")
             : c10::str("it had ", before.size(), " ", part, " samples and has ", now.size(),
                        " now");
}

std::string difference(const SplitRecord& before, const SplitRecord& now) {
  for (const std::string& found :
       {difference("training", before.train, now.train),
        difference("valid", before.valid, now.valid), difference("test", before.test, now.test)}) {
    if (!found.empty()) {
      return found;
    }
  }
  return "it was split by another fraction or seed";
}

/// Prints which classes `indices` lack.
void tell_missing_classes(const Dataset& set, const std::vector<int64_t>& indices,
                          const char* part) {
  std::vector<bool> found(static_cast<size_t>(set.n_classes));
  const at::Tensor classes = set.targets.cpu();
  for (const int64_t index : indices) {
    found[static_cast<size_t>(classes[index].item<int64_t>())] = true;
  }
  const int64_t n_missing = std::count(found.begin(), found.end(), false);
  if (n_missing > 0) {
    const int64_t first = std::find(found.begin(), found.end(), false) - found.begin();
    std::cerr << "of data set '" << set.name << "' the " << part << " part lacks " << n_missing
              << " of " << set.n_classes << " classes, e.g. " << first
              << ": these have too few samples\n";
  }
}

/// Removes the indices in `some`, ascending, from `indices`.
void remove(std::vector<int64_t>& indices, const std::vector<int64_t>& some) {
  std::erase_if(indices,
                [&](int64_t index) { return std::binary_search(some.begin(), some.end(), index); });
}

Dataset whole(const DataSplits& data) {
  Dataset all = data.train;
  all.inputs = at::cat({data.train.inputs, data.test.inputs});
  all.targets = at::cat({data.train.targets, data.test.targets});
  return all;
}

/// "none of them trained the model", "12 of them trained the model"
std::string overlap(const Hashes& hashes, const SplitRecord& run) {
  const size_t n_trained = found_in(hashes, run.train).size();
  const size_t n_chose = found_in(hashes, run.valid).size();
  return c10::str(n_trained == 0 ? "none" : std::to_string(n_trained),
                  " of which the model was trained on",
                  n_chose == 0 ? "" : c10::str(" and ", n_chose, " of which it was chosen by"));
}

}  // namespace

void keep_split(RunDirectory& directory, const SplitRecord& split, bool has_begun) {
  const std::string path = directory.path().string();
  const std::optional<SplitRecord> before = read_split(directory.path());
  TORCH_CHECK(!before || *before == split, path,
              " holds a run with other samples: ", before ? difference(*before, split) : "",
              ": give the data it was begun with, or another --out");
  TORCH_CHECK(before || !has_begun, path,
              " was begun by a version that splits the samples otherwise: begin again with another "
              "--out");
  directory.keep([split](const std::filesystem::path& folder) { write_split(folder, split); });
}

Split split_of_run(const Dataset& train, double valid_fraction, uint64_t seed, bool tells) {
  Split split = split_of(train, valid_fraction, seed);
  if (tells && train.n_classes > 0) {
    tell_missing_classes(train, split.train, "training");
    if (!split.valid.empty()) {
      tell_missing_classes(train, split.valid, "validation");
    }
  }
  return split;
}

Split split_again(const DataSplits& data, const SplitRecord& of_run) {
  Split split = split_of(data.train, of_run.valid_fraction, of_run.seed);
  const SplitRecord now = record_of(data, split, of_run.valid_fraction, of_run.seed);
  TORCH_CHECK(now.train == of_run.train && now.valid == of_run.valid, "data set '", data.train.name,
              "' does not hold the samples of the search: ", difference(of_run, now),
              ": give the data it was begun with");
  return split;
}

Split without_tested(Split split, const DataSplits& data, const std::optional<SplitRecord>& search,
                     bool tells) {
  if (!search || search->test == content_hashes(data.test)) {
    return split;
  }
  const std::vector<int64_t> tested = found_in(content_hashes(data.train), search->test);
  if (tells && !tested.empty()) {
    std::cerr << tested.size() << " samples of data set '" << data.train.name
              << "' are left out: the search of this architecture was tested on them\n";
  }
  remove(split.train, tested);
  remove(split.valid, tested);
  return split;
}

ScoredSamples samples_to_score(const DataSplits& data, const std::optional<SplitRecord>& run) {
  const std::string name = data.test.name;
  if (!run) {
    return {data.test, c10::str("scored on the ", data.test.size(), " test samples of ", name,
                                "; the run does not say on which it was trained")};
  }
  if (content_hashes(data.test) == run->test) {
    return {data.test, c10::str("scored on the test split of the run, ", data.test.size(),
                                " samples of ", name)};
  }
  Dataset all = whole(data);
  const Hashes hashes = content_hashes(all);
  std::string described = c10::str("scored on all ", all.size(), " samples of ", name,
                                   ", other data than the run's, ", overlap(hashes, *run));
  return {std::move(all), std::move(described), false};
}

}  // namespace retia
