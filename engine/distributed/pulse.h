#pragma once

#include <atomic>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "engine/distributed/ticker.h"

namespace retia {

/// Tells in a store that this rank lives and how many calls it has made, and who of the others does
/// not, once something has failed.
class Pulse {
 public:
  /// store: where all ranks meet. seconds: between beats. store_keeper: what becomes unreachable
  /// where the store is gone, e.g. "rank 0".
  Pulse(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size, double seconds,
        std::string store_keeper);

  /// One more call.
  void count_call() { ++n_calls_; }

  /// Why a call failed, in a line that names the rank it is due to: one that told so, else one
  /// whose pulse stands still, else one that made fewer calls; else `what`. Takes a few beats. The
  /// first rank to find out tells all others.
  std::string diagnosis(const std::string& what);

  /// Tells the others why this rank ends, unless one has told before. The first rank, which may
  /// keep the store, then waits a little until those that are not lost have read it.
  void tell(const std::string& why);

 private:
  struct Beat {
    int64_t n = -1, calls = 0;
  };

  std::vector<Beat> beats();
  std::string told();
  std::string find(const std::string& what);

  c10::intrusive_ptr<c10d::Store> store_;  // of the caller's thread
  int64_t rank_, size_;
  int64_t n_lost_ = 0;  // ranks that will not read what is told
  double seconds_;
  std::string store_keeper_;
  std::atomic<int64_t> n_calls_ = 0;
  Ticker ticker_;
};

}  // namespace retia
