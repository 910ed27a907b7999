#include "retia/trainers/data/split.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

/// Returns the samples of each class, ascending.
std::vector<std::vector<int64_t>> samples_by_class(const Dataset& set) {
  std::vector<std::vector<int64_t>> by_class(static_cast<size_t>(set.n_classes));
  const at::Tensor classes = set.targets.cpu().contiguous();
  const auto* const class_of = classes.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < set.size(); ++i) {
    by_class.at(static_cast<size_t>(class_of[i])).push_back(i);
  }
  return by_class;
}

/// Returns n · size / total of each size, rounded by largest remainder, so that the sum is n.
std::vector<int64_t> shares_of(const std::vector<int64_t>& sizes, int64_t n) {
  const int64_t total =
      std::max(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}), int64_t{1});
  std::vector<int64_t> shares;
  for (const int64_t size : sizes) {
    shares.push_back(n * size / total);
  }
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return n * sizes[a] % total > n * sizes[b] % total; });
  int64_t left = n - std::accumulate(shares.begin(), shares.end(), int64_t{0});
  for (auto next = order.begin(); left > 0; ++next, --left) {
    ++shares[*next];
  }
  return shares;
}

/// Moves one sample to each class of several samples that has none in `part`, from the class that has
/// the most there, while that has two.
void fill_empty(std::vector<int64_t>& part, const std::vector<int64_t>& sizes) {
  for (size_t c = 0; c < part.size(); ++c) {
    const auto most = std::max_element(part.begin(), part.end());
    if (part[c] == 0 && sizes[c] >= 2 && *most >= 2) {
      --*most;
      ++part[c];
    }
  }
}

/// Returns the numbers of samples of each class in a stratified draw of `n`.
std::vector<int64_t> stratified_shares(const std::vector<int64_t>& sizes, int64_t n) {
  std::vector<int64_t> drawn = shares_of(sizes, n), rest(sizes.size());
  const auto swap_parts = [&sizes](const std::vector<int64_t>& part, std::vector<int64_t>& other) {
    std::transform(sizes.begin(), sizes.end(), part.begin(), other.begin(), std::minus<>());
  };
  fill_empty(drawn, sizes);
  swap_parts(drawn, rest);
  fill_empty(rest, sizes);
  swap_parts(rest, drawn);
  return drawn;
}

std::vector<int64_t> stratified_samples(const Dataset& set, int64_t n, uint64_t seed) {
  const std::vector<std::vector<int64_t>> by_class = samples_by_class(set);
  std::vector<int64_t> sizes;
  for (const std::vector<int64_t>& samples : by_class) {
    sizes.push_back(static_cast<int64_t>(samples.size()));
  }
  const std::vector<int64_t> shares = stratified_shares(sizes, n);
  std::vector<int64_t> drawn;
  for (size_t c = 0; c < by_class.size(); ++c) {
    for (const int64_t i : Random(mix({seed, c})).choose(shares[c], sizes[c])) {
      drawn.push_back(by_class[c][static_cast<size_t>(i)]);
    }
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace

std::vector<int64_t> drawn_samples(const Dataset& set, int64_t n, uint64_t seed) {
  TORCH_CHECK(0 <= n && n <= set.size(), "data set '", set.name, "' has ", set.size(),
              " samples, but ", n, " are asked for");
  return set.n_classes > 0 ? stratified_samples(set, n, seed) : Random(seed).choose(n, set.size());
}

Split split_of(const Dataset& set, double valid_fraction, uint64_t seed) {
  TORCH_CHECK(valid_fraction >= 0 && valid_fraction <= 1,
              "data.valid_fraction must be at least 0 and at most 1, got ", valid_fraction);
  const auto n =
      static_cast<int64_t>(std::llround(valid_fraction * static_cast<double>(set.size())));
  Split split{.train = {}, .valid = drawn_samples(set, n, seed)};
  split.train = all_but(split.valid, set.size());
  return split;
}

std::vector<int64_t> all_but(const std::vector<int64_t>& indices, int64_t n) {
  std::vector<int64_t> others;
  auto next = indices.begin();
  for (int64_t index = 0; index < n; ++index) {
    if (next != indices.end() && *next == index) {
      ++next;
    } else {
      others.push_back(index);
    }
  }
  return others;
}

}  // namespace retia
