#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "retia/engine/distributed/launch.h"
#include "retia/kernels/sum_over_ranks.h"

namespace retia {

/// The purpose of a collective call: gradient averages, batch statistics, or agreement (losses,
/// stop requests, digests, scores).
enum class CallFor { Gradients, Statistics, Agreement };

/// The collective calls of one purpose so far.
struct Traffic {
  int64_t calls = 0;   ///< number of calls that were started
  int64_t bytes = 0;   ///< of the tensors passed in, not of the network packets
  double seconds = 0;  ///< time spent waiting for other ranks
};

/// The processes that train one model together (data parallel), over c10d: Gloo on CPUs, NCCL on
/// GPUs. All ranks call the same functions in the same order. When a rank dies, hangs or stays
/// away, the pending call on every other rank throws one line that names it, within the timeout;
/// every later call throws too. For use by one thread.
class Ranks final : public kernels::SumOverRanks {
 public:
  /// Joins the other ranks of `launch`; in a single process every call works on this rank alone.
  /// `timeout`: seconds, > 0, that a call waits for other ranks. With several ranks, SIGPIPE is
  /// ignored from then on.
  Ranks(const Launch& launch, double timeout);
  /// Tells the other ranks when an exception ends this process.
  ~Ranks() override;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  /// Returns the number of this process, counted from 0.
  int64_t rank() const { return launch_.rank; }
  /// Returns the number of processes.
  int64_t size() const { return launch_.size; }
  /// Returns the number of this process among those of its machine, counted from 0.
  int64_t local_rank() const { return launch_.local_rank; }
  /// Returns the launch by which the ranks were joined.
  const Launch& launch() const { return launch_; }
  /// Returns whether this is rank 0, whose values broadcast() sends.
  bool is_first() const { return launch_.rank == 0; }
  /// Returns this object, or null in a single process.
  Ranks* several() { return launch_.size > 1 ? this : nullptr; }

  /// Starts to replace `tensor` by its sum over ranks, bit-identical on all; `tensor` is contiguous
  /// and of equal sizes on all ranks. Returns at once, with a function that waits for the result;
  /// do not touch `tensor` before that.
  std::function<void()> start_sum(const at::Tensor& tensor, CallFor purpose = CallFor::Agreement);
  /// Replaces `tensor` by its sum over ranks; waits for it. See start_sum.
  void sum(const at::Tensor& tensor) { start_sum(tensor)(); }
  void sum_statistics(const at::Tensor& tensor) override {
    start_sum(tensor, CallFor::Statistics)();
  }

  /// Replaces `tensor` by the tensor of the first rank.
  void broadcast(const at::Tensor& tensor);
  /// Returns the text of the first rank.
  std::string broadcast(const std::string& text);

  /// Returns the tensors of all ranks, stacked: `[ranks, sizes...]`.
  at::Tensor gather(const at::Tensor& mine);

  /// Returns whether `mine` is true on any rank.
  bool any(bool mine);

  /// Throws again if an earlier call has failed.
  void check() const;

  /// Returns the traffic so far, indexed by CallFor.
  const std::array<Traffic, 3>& traffic() const { return traffic_; }

 private:
  struct Group;

  void guarded(const std::function<void()>& call);
  void count_call(const at::Tensor& tensor, CallFor purpose);
  void wait(const std::function<void()>& call, CallFor purpose);

  Launch launch_;
  double timeout_;
  std::unique_ptr<Group> group_;  // null: a single process
  std::array<Traffic, 3> traffic_;
  std::string failure_;
};

}  // namespace retia
