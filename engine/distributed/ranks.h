#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/distributed/launch.h"
#include "kernels/sum_over_ranks.h"

namespace retia {

/// What ranks call each other for: averages of gradients, statistics of batches, and the rest,
/// which is losses, stops, digests and scores.
enum class CallFor { Gradients, Statistics, Agreement };

/// What such calls have come to so far.
struct Traffic {
  int64_t calls = 0;
  int64_t bytes = 0;   ///< of the tensors handed over, not of what the network carries for them
  double seconds = 0;  ///< of waiting for the others
};

/// The processes that train one model together, over c10d: Gloo on CPUs, NCCL on GPUs. All of them
/// call the same functions in the same order. Where one dies, hangs or stays away, the call of each
/// other throws one line that names it, within the timeout; no call succeeds after one that failed.
/// One thread.
class Ranks final : public kernels::SumOverRanks {
 public:
  /// Meets the others of `launch`; alone, every call is of this rank only. timeout: seconds, > 0,
  /// that anyone waits for the others in one call. Where there are others, SIGPIPE is ignored from
  /// then on.
  Ranks(const Launch& launch, double timeout);
  /// Tells the others where an error ends this process.
  ~Ranks() override;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int64_t rank() const { return launch_.rank; }
  int64_t size() const { return launch_.size; }
  int64_t local_rank() const { return launch_.local_rank; }
  bool is_first() const { return launch_.rank == 0; }
  /// This, or null where the process is alone.
  Ranks* several() { return launch_.size > 1 ? this : nullptr; }

  /// Replaces `tensor` (contiguous, of equal sizes everywhere) by its sum over ranks, the same to
  /// the bit on all. Returns at once what waits for the result; tensor must not be touched before.
  std::function<void()> start_sum(const at::Tensor& tensor, CallFor purpose = CallFor::Agreement);
  void sum(const at::Tensor& tensor) { start_sum(tensor)(); }
  void sum_statistics(const at::Tensor& tensor) override {
    start_sum(tensor, CallFor::Statistics)();
  }

  /// Replaces `tensor` by the first rank's.
  void broadcast(const at::Tensor& tensor);
  /// The first rank's text.
  std::string broadcast(const std::string& text);

  /// The tensors of all ranks, `[ranks, sizes...]`.
  at::Tensor gather(const at::Tensor& mine);

  /// Whether any rank says so.
  bool any(bool mine);

  /// Throws again, where a call has failed.
  void check() const;

  /// By purpose.
  const std::array<Traffic, 3>& traffic() const { return traffic_; }

 private:
  struct Group;

  void guarded(const std::function<void()>& call);
  void count_call(const at::Tensor& tensor, CallFor purpose);
  void wait(const std::function<void()>& call, CallFor purpose);

  Launch launch_;
  double timeout_;
  std::unique_ptr<Group> group_;  // null: alone
  std::array<Traffic, 3> traffic_;
  std::string failure_;
};

}  // namespace retia
