#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace retia {

/// Returns a 64-bit hash of `words` in their order (the finaliser of SplitMix64, Steele et al.
/// 2014, chained). It names a random draw: `mix({seed, epoch, sample})` is a key that no other draw
/// shares, on every machine and in every order of execution; `mix({key, stream})` splits a key
/// further.
uint64_t mix(std::initializer_list<uint64_t> words);

/// A sequential random generator (SplitMix64) whose numbers depend on the seed only, not on the
/// standard library. It is cheap to construct, so `Random(key)` gives the draws that belong to one
/// key. Copies continue independently.
class Random {
 public:
  /// Starts the sequence of `seed`, which may be any number.
  explicit Random(uint64_t seed);

  /// Returns 64 uniform bits.
  uint64_t next();
  /// Returns a uniform number in [0, 1), a multiple of 2^-53.
  double uniform();
  /// Returns a uniform integer in 0 … n-1, without bias; n ≥ 1.
  int64_t below(int64_t n);
  /// Returns a standard normal number (Box-Muller; uses two uniform numbers).
  double normal();
  /// Returns an index into `weights` (each ≥ 0, not all 0), drawn in proportion to the weights.
  int64_t pick(const std::vector<double>& weights);
  /// Returns `k` distinct indices of 0 … n-1 in ascending order, every set equally likely; 0 ≤ k ≤
  /// n.
  std::vector<int64_t> choose(int64_t k, int64_t n);
  /// Returns 0 … n-1 in random order, every order equally likely; n ≥ 0.
  std::vector<int64_t> permutation(int64_t n);

  /// Returns the whole state as 16 hexadecimal digits, for a checkpoint.
  std::string state() const;
  /// Restores a state that state() returned. Throws on any other text.
  void set_state(const std::string& text);

 private:
  uint64_t state_;
};

}  // namespace retia
