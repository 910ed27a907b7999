#pragma once

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/trainers/data/batches.h"
#include "retia/trainers/optimizer.h"

namespace retia {

/// The quality of a model on a set of samples.
struct Score {
  double loss = 0;        ///< mean cross-entropy
  double accuracy = 0;    ///< fraction of samples classified correctly, in [0, 1]
  int64_t n_samples = 0;  ///< number of samples scored, over all ranks
  bool varies = true;     ///< whether any output differs between the samples of a rank
};

/// Finds out whether outputs differ between samples, beyond rounding.
class OutputRange {
 public:
  /// Adds the outputs of a batch: [b, …, outputs].
  void add(const at::Tensor& outputs);
  /// Returns whether any output of those added differs between samples: bool, […].
  at::Tensor varies() const;

 private:
  at::Tensor low_, high_;
};

/// Adds `more` to `sum`; an undefined sum counts as 0.
void accumulate(at::Tensor& sum, const at::Tensor& more);

/// Scores the model in evaluation mode on all batches, and restores its mode. Several ranks divide
/// the batches among them, which must be undivided ones, and return the same score.
Score score_of(Network& network, const Batches& batches, Ranks* ranks = nullptr);

/// Replaces the statistics of all batch normalisations by the plain mean over (at most) the first
/// `n_batches` training batches. Needed before scoring a model that inherits a supernet's weights
/// (Guo et al. 2020). With several ranks: by the mean over ranks.
void recalibrate(Network& network, const Batches& batches, int64_t n_batches,
                 Ranks* ranks = nullptr);

/// Averages, over ranks, the running statistics that batches have changed since the last call.
/// Running statistics are linear in the statistics of the batches, so the time of the averaging
/// does not matter. Synchronised batch normalisations (SyncBatchNorm) are left out: all ranks have
/// equal statistics already.
void average_statistics(const std::vector<std::shared_ptr<BatchNormLayer>>& norms, Ranks& ranks);

/// Returns the batch normalisations of a model.
std::vector<std::shared_ptr<BatchNormLayer>> norms_of(const torch::nn::Module& model);

/// Returns a network of another graph, with new weights, with the device, dtype, precision,
/// executor and synchronisation of `like`.
Network remade(const Network& like, const ir::Graph& graph, uint64_t seed);

/// Returns the frozen model of `architecture` with the weights of `supernet`, on its device.
Network inherit(const Network& supernet, const Architecture& architecture);

/// Returns the parameters and buffers, by name, that the frozen model of `architecture` inherits
/// from `supernet`, possibly with unused ones. Layers whose sizes are choices give the parts that
/// the chosen sizes use.
NamedTensors weights_of(const Network& supernet, const Architecture& architecture);

/// Returns the parameters and buffers of a module, by name.
NamedTensors weights_of(const torch::nn::Module& module);

/// Copies every parameter and buffer of `to` from the tensor of the same name in `from`. Throws,
/// naming the first, when one is missing or of another shape; then nothing is copied.
void copy_weights(const NamedTensors& from, torch::nn::Module& to);

}  // namespace retia
