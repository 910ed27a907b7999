#include "retia/engine/distributed/pulse.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

namespace retia {
namespace {

constexpr const char* kFailure = "failure";  // why the first rank that failed did
constexpr const char* kLeft = "left";        // how many know it
constexpr double kFarewell = 5;              // seconds that the store's keeper waits for them
constexpr double kPoll = 0.05;

std::string beat_key(int64_t rank) { return "beat/" + std::to_string(rank); }

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace

Pulse::Pulse(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
             double seconds, std::string store_keeper)
    : store_(store->clone()),
      rank_(rank),
      size_(size),
      seconds_(seconds),
      store_keeper_(std::move(store_keeper)),
      // Where the store is gone the beats end; the caller's thread will find that out, and say so.
      ticker_(seconds, [this, own = c10::intrusive_ptr<c10d::Store>(), n = int64_t{0}]() mutable {
        // A connection of its own: that of another thread may be waiting for an answer.
        own = own ? own : store_->clone();
        own->set(beat_key(rank_), bytes_of(c10::str(n++, " ", n_calls_.load())));
      }) {}

std::vector<Pulse::Beat> Pulse::beats() {
  std::vector<Beat> all(static_cast<size_t>(size_));
  for (int64_t r = 0; r < size_; ++r) {
    if (store_->check({beat_key(r)})) {
      const std::vector<uint8_t> bytes = store_->get(beat_key(r));
      std::istringstream text(std::string(bytes.begin(), bytes.end()));
      text >> all[static_cast<size_t>(r)].n >> all[static_cast<size_t>(r)].calls;
    }
  }
  return all;
}

std::string Pulse::told() {
  if (!store_->check({kFailure})) {
    return "";
  }
  const std::vector<uint8_t> bytes = store_->get(kFailure);
  return {bytes.begin(), bytes.end()};
}

std::string Pulse::find(const std::string& what) {
  const std::vector<Beat> before = beats();
  for (double waited = 0; waited < 3 * seconds_; waited += kPoll) {
    const std::string known = told();
    if (!known.empty()) {
      return known;
    }
    sleep_for(kPoll);
  }
  const std::vector<Beat> now = beats();
  std::vector<int64_t> still, late;
  for (int64_t r = 0; r < size_; ++r) {
    const auto i = static_cast<size_t>(r);
    if (r != rank_ && now[i].n == before[i].n) {
      still.push_back(r);
    } else if (now[i].calls < n_calls_.load()) {
      late.push_back(r);
    }
  }
  n_lost_ = static_cast<int64_t>(still.size() + late.size());
  const auto names = [&](const std::vector<int64_t>& ranks) {
    std::string text = ranks.size() == 1 ? "rank " : "ranks ";
    for (size_t i = 0; i < ranks.size(); ++i) {
      text += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
    }
    return c10::str(text, " of ", size_, ranks.size() == 1 ? " does" : " do");
  };
  if (!still.empty()) {
    return names(still) + " not answer any more: killed, hung or cut off";
  }
  if (!late.empty()) {
    return names(late) + " not come to where the others wait";
  }
  return "the ranks lost each other: " + what;
}

std::string Pulse::diagnosis(const std::string& what) {
  try {
    tell(find(what));
    return told();
  } catch (const std::exception&) {
    return store_keeper_ + " does not answer any more: killed, hung or cut off";
  }
}

void Pulse::tell(const std::string& why, const std::function<void()>& leave) {
  store_->compareSet(kFailure, {}, bytes_of(why));
  store_->add(kLeft, 1);
  if (leave) {
    leave();
  }
  if (rank_ != 0) {
    return;
  }
  for (double waited = 0; waited < kFarewell && store_->add(kLeft, 0) < size_ - n_lost_;
       waited += kPoll) {
    sleep_for(kPoll);
  }
}

}  // namespace retia
