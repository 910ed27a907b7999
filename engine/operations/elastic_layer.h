#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/operations/layer.h"
#include "engine/operations/shared_axes.h"

namespace retia {

/// A layer whose sizes may be choices, as in once-for-all networks (Cai et al., ICLR 2020). It
/// stores the largest weights. Where one option is decided, it runs on the part of them that the
/// frozen layer of the option has; where several are blended by weights, on the largest part,
/// multiplied by the weighted sum of the options' masks (see SharedAxes). So the sizes of what it
/// makes are the largest that any chosen option makes.
class ElasticLayer : public Layer {
 public:
  /// The labels that decide its sizes; none: it is a layer like any other.
  std::set<std::string> labels() const;

  /// Takes from `choices` those of its labels, which decide from now on.
  virtual void follow(const ValueChoices& choices);

  /// Its parameters and buffers, by name, as the frozen layer of `architecture` has them.
  std::map<std::string, at::Tensor> weights_at(const Architecture& architecture) const;

 protected:
  /// Registers a parameter, or a buffer, of the largest sizes, full of `value`. Returns it.
  at::Tensor share_parameter(const std::string& name, std::vector<SharedAxis> axes,
                             double value = 0);
  at::Tensor share_buffer(const std::string& name, std::vector<SharedAxis> axes, double value);

  /// Sizes that no tensor of the layer has, but which labels decide as well.
  void depend_on(const Dim& dim);

  /// The part of a tensor that any chosen option has; undefined where there is none of that name.
  at::Tensor part(const std::string& name);

  /// The part times the options' weighted masks.
  at::Tensor mixed(const std::string& name);

  struct SharedTensor {
    at::Tensor stored;
    SharedAxes axes;
  };
  SharedTensor& shared(const std::string& name) { return tensors_.at(name); }

 private:
  std::map<std::string, SharedTensor> tensors_;
  std::set<std::string> other_labels_;
};

}  // namespace retia
