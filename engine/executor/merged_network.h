#pragma once

#include <span>
#include <vector>

#include "engine/executor/network.h"
#include "engine/ir/merge.h"

namespace retia {

/// Whether a merged network can compute and train what these do: frozen models of one input, which
/// read and make the same shapes and draw nothing at random.
bool can_merge(std::span<const Network> members);

/// Several models as one network (see ir::merge), which begins with their weights. Whatever treats
/// numbers one by one, as stochastic gradient descent does, treats the weights of each member as it
/// would alone.
class MergedNetwork {
 public:
  /// A parameter or buffer with rows (equal parts along the first dimension) of several members.
  struct Stacked {
    at::Tensor tensor;
    std::vector<size_t> members;     ///< per row the member it is of
    std::vector<at::Tensor> theirs;  ///< per row the tensor of the member, of the same numel
  };

  /// members: such that can_merge(members), on one device and of one dtype; shared, not copied.
  /// most_channels: see ir::merge.
  explicit MergedNetwork(std::span<const Network> members,
                         int64_t most_channels = ir::kAnyNumberOfChannels);

  /// Its outputs are those of the members, beside each other: [batch, members * classes].
  const Network& network() const { return network_; }
  size_t n_members() const { return n_members_; }

  /// All parameters, in the order of their names.
  const std::vector<Stacked>& parameters() const { return parameters_; }

  /// Gives the members the weights that it has now.
  void give_back() const;

 private:
  size_t n_members_;
  Network network_;
  std::vector<Stacked> parameters_, buffers_;
};

}  // namespace retia
