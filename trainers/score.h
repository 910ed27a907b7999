#pragma once

#include "engine/distributed/ranks.h"
#include "engine/executor/network.h"
#include "engine/operations/batch_norm.h"
#include "trainers/data/batches.h"
#include "trainers/optimizer.h"

namespace retia {

/// How well a model does on a set.
struct Score {
  double loss = 0;      ///< mean cross-entropy
  double accuracy = 0;  ///< part of samples classified right, 0 to 1
  int64_t n_samples = 0;
};

/// The model in evaluation mode over all batches; its mode is restored. Several ranks take turns
/// with the batches, which must be whole on each, and come to the same score.
Score evaluate(Network& network, const Batches& batches, Ranks* ranks = nullptr);

/// Replaces the statistics of all batch normalisations by the plain average over (at most) the
/// first `n_batches` training batches. What inherits a supernet's weights needs it before it is
/// scored (Guo et al. 2020). Several ranks come to the average of theirs.
void recalibrate(Network& network, const Batches& batches, int64_t n_batches,
                 Ranks* ranks = nullptr);

/// Replaces the running statistics that batches have moved since the last call by their averages
/// over ranks. They are linear in those of batches, so it does not matter when. Those that are
/// synchronised are the same everywhere already.
void average_statistics(const std::vector<std::shared_ptr<BatchNormLayer>>& norms, Ranks& ranks);

/// The batch normalisations of a model.
std::vector<std::shared_ptr<BatchNormLayer>> norms_of(const torch::nn::Module& model);

/// The network of another graph, with new weights, on the device and of the dtype of `like`, run
/// and synchronised as it is.
Network remade(const Network& like, const ir::Graph& graph, uint64_t seed);

/// The frozen model of `architecture` with the weights that `supernet` has for it, on its device.
Network inherit(const Network& supernet, const Architecture& architecture);

/// Parameters and buffers that the frozen model of `architecture` takes from `supernet`, and
/// others, by name: of layers whose sizes are choices the parts that the chosen sizes keep.
NamedTensors weights_of(const Network& supernet, const Architecture& architecture);

/// Parameters and buffers of a module, by name.
NamedTensors weights_of(const torch::nn::Module& module);

/// Copies every parameter and buffer of `to` from the one of its name in `from`. Throws, naming the
/// first, when one is missing or of another shape; then nothing is copied.
void copy_weights(const NamedTensors& from, torch::nn::Module& to);

}  // namespace retia
