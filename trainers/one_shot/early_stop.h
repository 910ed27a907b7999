#pragma once

#include <string>
#include <vector>

#include "retia/engine/io/checkpoint.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/optimizer.h"

namespace retia {

/// The options of the rules that end a search early; see EarlyStop.
struct EarlyStopOptions {
  /// Skip connections of a normal cell that end the search; 0: rule off.
  int64_t skip_connections = 0;
  /// r, in [0, 1): ratio below which the search ends (0.75 in the paper); 0: rule off.
  double eigenvalue_ratio = 0;
  int64_t window = 5;  ///< k, number of epochs, ≥ 1
};
inline std::vector<Option> declared(EarlyStopOptions& o) {
  return {
      option("skip_connections", o.skip_connections, Range{0, 1e6},
             "skip connections of a normal cell that end the search; 0: rule off"),
      option("eigenvalue_ratio", o.eigenvalue_ratio, Range::from_to_below(0, 1),
             "ratio of eigenvalues below which the search ends; 0: rule off"),
      option("window", o.window, Range{1, 1e6}, "epochs over which eigenvalues are averaged"),
  };
}

/// Decides when a search by alphas ends, before it collapses into skip connections:
/// - DARTS+ (Liang et al. 2019): as soon as a normal cell keeps `skip_connections` skip connections
///   (2 in the paper);
/// - RobustDARTS (Zela et al., ICLR 2020): with lambda(e) the largest eigenvalue of the Hessian of
///   L_valid in the alphas after epoch e, and m(e) its mean over the epochs e-k+1 … e, as soon as
///   m(e-k) / m(e) < r and m(e) > 0 (paper: k = 5 and r = 0.75). The alphas are then set back to
///   those after epoch e-k.
class EarlyStop {
 public:
  /// `alphas`: the learnt parameters. Throws where an option is out of range.
  EarlyStop(const EarlyStopOptions& options, NamedTensors alphas);

  /// Returns whether any rule is on.
  bool watches() const { return watches_skips() || watches_curvature(); }
  /// Returns whether the rule of DARTS+ is on, which needs tell_skips.
  bool watches_skips() const { return options_.skip_connections > 0; }
  /// Returns whether the rule of RobustDARTS is on, which needs tell_eigenvalue.
  bool watches_curvature() const { return options_.eigenvalue_ratio > 0; }

  /// Tells the number of skip connections kept, after an epoch that trained alphas.
  void tell_skips(int64_t n_skips);
  /// Tells lambda, after an epoch that trained alphas. Sets the alphas back if the search ends.
  void tell_eigenvalue(double eigenvalue);

  /// Returns one line that says why the search ends; empty while it goes on.
  const std::string& reason() const { return reason_; }

  /// Adds the eigenvalues and the former alphas to a checkpoint.
  void save(Checkpoint& checkpoint) const;
  /// Restores what save() has added.
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
