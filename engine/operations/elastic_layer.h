#pragma once

#include <map>
#include <string>
#include <vector>

#include "retia/engine/mutables/layer.h"
#include "retia/engine/operations/shared_axes.h"

namespace retia {

/// A layer whose sizes may be choices, as in once-for-all networks (Cai et al., ICLR 2020). It
/// stores the largest weights. For one chosen option it runs on the part of the weights that the
/// frozen layer of that option has. For several options blended by weights, it runs on the largest
/// part, multiplied by the weighted sum of the options' masks (see SharedAxes). Its output has the
/// sizes of the largest chosen option.
class ElasticLayer : public Layer {
 public:
  /// Returns the labels that decide the layer's sizes; empty for a layer of fixed size.
  std::set<std::string> labels() const;

  /// Takes the choices of the layer's labels from `choices`; they decide from now on.
  virtual void follow(const ValueChoices& choices);

  /// Returns the parameters and buffers, by name, of the frozen layer of `architecture`.
  std::map<std::string, at::Tensor> weights_at(const Architecture& architecture) const;

 protected:
  /// Registers a parameter with the largest sizes, filled with `value`, and returns it.
  at::Tensor share_parameter(const std::string& name, std::vector<SharedAxis> axes,
                             double value = 0);
  /// Registers a buffer with the largest sizes, filled with `value`, and returns it.
  at::Tensor share_buffer(const std::string& name, std::vector<SharedAxis> axes, double value);

  /// Adds the labels in `dim` to labels(), for sizes that no tensor of the layer has.
  void depend_on(const Dim& dim);

  /// Returns the part of the tensor `name` that the chosen options use; undefined where the layer
  /// has no tensor of that name.
  at::Tensor part(const std::string& name);

  /// Returns part(name) multiplied by the weighted sum of the options' masks.
  at::Tensor mixed(const std::string& name);

  /// A parameter or buffer whose sizes are choices.
  struct SharedTensor {
    at::Tensor stored;  ///< tensor of the largest sizes
    SharedAxes axes;    ///< one axis per dimension of `stored`
  };
  /// Returns the shared tensor `name`. Throws where there is none.
  SharedTensor& shared(const std::string& name) { return tensors_.at(name); }

 private:
  std::map<std::string, SharedTensor> tensors_;
  std::set<std::string> other_labels_;
};

}  // namespace retia
