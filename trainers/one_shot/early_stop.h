#pragma once

#include <string>
#include <vector>

#include "engine/io/checkpoint.h"
#include "trainers/optimizer.h"

namespace retia {

struct EarlyStopOptions {
  int64_t skip_connections = 0;  ///< kept in a normal cell, that end the search; 0: no matter
  double eigenvalue_ratio = 0;   ///< r, 0 to 1, below which it ends (0.75); 0: no matter
  int64_t window = 5;            ///< k, in epochs, ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EarlyStopOptions, skip_connections,
                                                eigenvalue_ratio, window)

/// Says when a search by alphas has to end before it collapses into skip connections:
///   as soon as a normal cell keeps `skip_connections` of them (DARTS+, Liang et al. 2019: 2);
///   or, with lambda(e) the largest eigenvalue of the Hessian of L_valid in the alphas after epoch
///   e and m(e) its mean over the epochs e-k+1 … e, as soon as m(e-k) / m(e) < r and m(e) > 0
///   (RobustDARTS, Zela et al., ICLR 2020: k = 5, r = 0.75). The alphas then are those after epoch
///   e-k.
class EarlyStop {
 public:
  /// alphas: the parameters that are learnt. Throws where an option is out of its range.
  EarlyStop(const EarlyStopOptions& options, NamedTensors alphas);

  bool watches() const { return watches_skips() || watches_curvature(); }
  bool watches_skips() const { return options_.skip_connections > 0; }
  bool watches_curvature() const { return options_.eigenvalue_ratio > 0; }

  /// How many skip connections are kept, after an epoch that trained alphas.
  void tell_skips(int64_t n_skips);
  /// lambda, after such an epoch. Puts the alphas back where it says that the search ends.
  void tell_eigenvalue(double eigenvalue);

  /// Why the search ends, in a line; empty: it does not.
  const std::string& reason() const { return reason_; }

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

 private:
  double mean_of_window(size_t end) const;
  NamedTensors copies() const;

  EarlyStopOptions options_;
  NamedTensors alphas_;
  std::vector<double> eigenvalues_;
  std::vector<NamedTensors> former_;  // alphas after the last k + 1 epochs
  std::string reason_;
};

}  // namespace retia
