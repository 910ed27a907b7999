#pragma once

#include <span>
#include <vector>

#include "retia/engine/executor/network.h"
#include "retia/engine/ir/merge.h"

namespace retia {

/// Returns whether `members` can be merged into one network that computes and trains all of them:
/// frozen models with one input, equal input and output shapes and no random layers.
bool can_merge(std::span<const Network> members);

/// Several models as one network (see ir::merge), which starts with their weights. Optimizers that
/// treat each number independently, such as SGD, update the weights of each member as they would
/// update the member alone.
class MergedNetwork {
 public:
  /// A parameter or buffer whose rows (equal parts along the first dimension) belong to several
  /// members.
  struct Stacked {
    at::Tensor tensor;
    std::vector<size_t> members;  ///< per row, the member that owns the row
    /// Per row, the tensor of that member, which has as many elements as the row.
    std::vector<at::Tensor> theirs;
  };

  /// `members`: models with can_merge(members), on one device and of one dtype; shared, not copied.
  /// `most_channels`: see ir::merge.
  explicit MergedNetwork(std::span<const Network> members,
                         int64_t most_channels = ir::kAnyNumberOfChannels);

  /// The merged network. Its output is the concatenation of the members' outputs: [batch, members *
  /// classes].
  const Network& network() const { return network_; }
  size_t n_members() const { return n_members_; }

  /// All parameters, in the order of their names.
  const std::vector<Stacked>& parameters() const { return parameters_; }

  /// Copies the current weights to the members.
  void give_back() const;

 private:
  size_t n_members_;
  Network network_;
  std::vector<Stacked> parameters_, buffers_;
};

}  // namespace retia
