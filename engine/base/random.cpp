#include "retia/engine/base/random.h"

#include <c10/util/Exception.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <set>
#include <utility>

namespace retia {
namespace {

constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
constexpr double kTwoPi = 6.283185307179586;
constexpr int kStateDigits = 16;

uint64_t finalise(uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

}  // namespace

uint64_t mix(std::initializer_list<uint64_t> words) {
  uint64_t hash = 0;
  for (const uint64_t word : words) {
    hash = finalise(hash + kGoldenRatio + word);
  }
  return hash;
}

// The seed is hashed first: the streams of neighbouring seeds would otherwise be shifts of each
// other.
Random::Random(uint64_t seed) : state_(mix({seed})) {}

uint64_t Random::next() {
  state_ += kGoldenRatio;
  return finalise(state_);
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

int64_t Random::below(int64_t n) {
  TORCH_CHECK(n >= 1, "Random::below(n) draws from 0 … n-1 and needs n ≥ 1, but n is ", n);
  const auto range = static_cast<uint64_t>(n);
  const uint64_t n_biased = (0 - range) % range;
  uint64_t bits = next();
  while (bits < n_biased) {
    bits = next();
  }
  return static_cast<int64_t>(bits % range);
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(kTwoPi * uniform());
}

int64_t Random::pick(const std::vector<double>& weights) {
  double room = uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
  int64_t last = -1;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      last = static_cast<int64_t>(i);
      room -= weights[i];
      if (room < 0) {
        break;
      }
    }
  }
  TORCH_CHECK(last >= 0, "Random::pick(weights) needs a weight above 0");
  return last;
}

// Floyd's algorithm: k draws whatever n is.
std::vector<int64_t> Random::choose(int64_t k, int64_t n) {
  TORCH_CHECK(0 <= k && k <= n, "Random::choose(k, n) needs 0 ≤ k ≤ n, but k is ", k, " and n is ",
              n);
  std::set<int64_t> chosen;
  for (int64_t last = n - k; last < n; ++last) {
    if (!chosen.insert(below(last + 1)).second) {
      chosen.insert(last);
    }
  }
  return {chosen.begin(), chosen.end()};
}

std::vector<int64_t> Random::permutation(int64_t n) {
  TORCH_CHECK(n >= 0, "Random::permutation(n) needs n ≥ 0, but n is ", n);
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t last = n - 1; last > 0; --last) {
    std::swap(order[last], order[below(last + 1)]);
  }
  return order;
}

std::string Random::state() const {
  char digits[kStateDigits + 1];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(state_));
  return digits;
}

void Random::set_state(const std::string& text) {
  uint64_t state = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, state, 16);
  TORCH_CHECK(text.size() == kStateDigits && error == std::errc() && stop == end,
              "the state of a random generator is 16 hexadecimal digits, but '", text,
              "' came: the checkpoint is damaged or of another version");
  state_ = state;
}

}  // namespace retia
