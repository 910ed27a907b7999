#pragma once

#include "retia/engine/mutables/layer.h"

namespace retia {

/// The layer of ops::split, which takes some of the channels. The executor splits a value once for
/// all SplitLayers that read it.
class SplitLayer final : public Layer {
 public:
  SplitLayer(int64_t begin, int64_t size) : begin_(begin), size_(size) {}

  at::Tensor forward(at::TensorList inputs) override { return inputs[0].narrow(1, begin_, size_); }

  int64_t begin() const { return begin_; }  ///< first channel taken
  int64_t size() const { return size_; }    ///< number of channels taken

 private:
  int64_t begin_, size_;
};

}  // namespace retia
