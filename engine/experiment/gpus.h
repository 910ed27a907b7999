#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace retia {

/// Tells whether to use GPUs on which other processes compute.
enum class ActiveGpus { LeaveAlone, Use };

/// The GPUs of this machine that are given to trials, one per trial. GPUs used by other processes
/// are found by calling `nvidia-smi` from time to time; without it, all count as free.
class Gpus {
 public:
  /// `wanted`: GPU indices as in nvidia-smi; empty: those listed in CUDA_VISIBLE_DEVICES or,
  /// without it, all. Throws where there is no GPU, where one of `wanted` does not exist, or where
  /// other processes use all of them.
  explicit Gpus(const std::vector<int64_t>& wanted, ActiveGpus active);

  /// Returns a free GPU, in the form that CUDA_VISIBLE_DEVICES takes; none where all are busy.
  std::optional<std::string> take();
  void give_back(const std::string& gpu);

 private:
  struct State {
    bool taken = false;   ///< by a trial of this experiment
    bool active = false;  ///< used by other processes, as of the last check
  };
  void ask();
  std::string names() const;

  ActiveGpus active_;
  std::vector<std::string> order_;
  std::map<std::string, State> states_;
  double asked_ = 0;
};

}  // namespace retia
