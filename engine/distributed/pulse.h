#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "retia/engine/distributed/ticker.h"

namespace retia {

/// The heartbeat of this rank, for fault tolerance: writes into the store that the rank is alive
/// and how many collective calls it has made, and finds out, after a failure, which ranks are lost.
class Pulse {
 public:
  /// `store`: the store at which all ranks meet. `seconds`: time between beats. `store_keeper`: the
  /// process that serves the store, e.g. "rank 0", for the message when the store is unreachable.
  Pulse(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size, double seconds,
        std::string store_keeper);

  /// Counts one more collective call.
  void count_call() { ++n_calls_; }

  /// Returns one line that says why a call failed and which rank caused it: the reason a rank has
  /// already told; else ranks whose heartbeat stopped; else ranks that made fewer calls; else
  /// `what`. Takes a few beats. The first rank to find the reason tells all others.
  std::string diagnosis(const std::string& what);

  /// Tells the other ranks why this rank ends, unless a reason was told before. Rank 0, which may
  /// serve the store, then waits a few seconds for the remaining ranks to read the reason. `leave`:
  /// called in between; ends the calls in which others wait for this rank. Null: nothing does.
  void tell(const std::string& why, const std::function<void()>& leave = nullptr);

 private:
  struct Beat {
    int64_t n = -1, calls = 0;
  };

  std::vector<Beat> beats();
  std::string told();
  std::string find(const std::string& what);

  c10::intrusive_ptr<c10d::Store> store_;  // used by the caller's thread only
  int64_t rank_, size_;
  int64_t n_lost_ = 0;  // number of ranks that will not read the reason
  double seconds_;
  std::string store_keeper_;
  std::atomic<int64_t> n_calls_ = 0;
  Ticker ticker_;
};

}  // namespace retia
