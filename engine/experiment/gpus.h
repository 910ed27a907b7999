#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace retia {

/// What becomes of a GPU that other processes compute on.
enum class ActiveGpus { LeaveAlone, Use };

/// The GPUs of this machine that trials are given, one each. Which are in use by others is asked of
/// `nvidia-smi` from time to time; where there is none all count as free.
class Gpus {
 public:
  /// wanted: their indices as nvidia-smi counts; empty: those that CUDA_VISIBLE_DEVICES lists or,
  /// without it, all. Throws where there is none, one of them is not there, or others use them all.
  explicit Gpus(const std::vector<int64_t>& wanted, ActiveGpus active);

  /// A GPU that is free, as CUDA_VISIBLE_DEVICES names it; none: for now there is none.
  std::optional<std::string> take();
  void give_back(const std::string& gpu);

 private:
  struct State {
    bool taken = false;   ///< by a trial of ours
    bool active = false;  ///< others compute on it, when last asked
  };
  void ask();
  std::string names() const;

  ActiveGpus active_;
  std::vector<std::string> order_;
  std::map<std::string, State> states_;
  double asked_ = 0;
};

}  // namespace retia
