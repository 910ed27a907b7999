#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace retia {

/// A 64-bit hash of `words` in their order (the finaliser of SplitMix64, Steele et al. 2014,
/// chained): what names a random draw. `mix({seed, epoch, sample})` is a key that no other draw
/// shares, on every machine and in every order of execution; `mix({key, stream})` splits a key
/// further.
uint64_t mix(std::initializer_list<uint64_t> words);

/// A sequential generator (SplitMix64) whose numbers depend on the seed only, not on the standard
/// library. Cheap to make, so `Random(key)` also gives the draws that belong to one key. Copies
/// continue apart from one another.
class Random {
 public:
  explicit Random(uint64_t seed);

  /// 64 uniform bits.
  uint64_t next();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();
  /// Uniform in 0 … n-1, without bias; n ≥ 1.
  int64_t below(int64_t n);
  /// Standard normal (Box-Muller; one value for two uniform ones).
  double normal();
  /// An index into `weights` (≥ 0, not all 0), drawn in proportion to them.
  int64_t pick(const std::vector<double>& weights);
  /// `k` distinct indices of 0 … n-1 in ascending order, every set equally likely; 0 ≤ k ≤ n.
  std::vector<int64_t> choose(int64_t k, int64_t n);
  /// 0 … n-1 in random order, every order equally likely; n ≥ 0.
  std::vector<int64_t> permutation(int64_t n);

  /// The whole state as 16 hexadecimal digits, for a checkpoint.
  std::string state() const;
  /// Continues from what state() returned; refuses any other text.
  void set_state(const std::string& text);

 private:
  uint64_t state_;
};

}  // namespace retia
