#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/mutables/value_choice.h"
#include "retia/engine/symbolic/parameter.h"

namespace retia {

/// The indices `begin` to `end` - 1.
struct Span {
  int64_t begin = 0;  ///< first index
  int64_t end = 0;    ///< one past the last index
  friend bool operator==(const Span&, const Span&) = default;
};

/// One dimension of a tensor that options of different sizes share. It is stored at the size of the
/// largest option; each option uses some of its indices.
class SharedAxis {
 public:
  /// Makes an axis of `size` indices that every option uses completely.
  static SharedAxis whole(int64_t size);
  /// Makes an axis of channels: an option uses the first ones; of concatenated channels, the first
  /// ones of each part.
  static SharedAxis channels(const Dim& channels);
  /// Makes an axis of a kernel: an option uses the middle, from (largest - size) // 2 on.
  static SharedAxis kernel(const Dim& size);

  /// Returns the number of indices of the largest option, as stored.
  int64_t largest() const;

  /// Returns the indices that the option of `architecture` uses, in ascending order.
  std::vector<Span> kept(const Architecture& architecture) const;

  /// Returns the labels that decide which indices are used.
  std::set<std::string> labels() const;

 private:
  enum class Place { First, Middle };
  SharedAxis(std::vector<Dim> parts, Place place);

  struct Part {
    Dim size;
    int64_t largest = 0;
  };
  std::vector<Part> parts_;
  Place place_;
};

/// The axes of one tensor, and how decisions slice it:
///   part: the indices that any chosen option uses; for one option it is the tensor of its frozen
///         layer;
///   mask: sum_k p_k mask_k over the chosen options k, where mask_k is 1 at the indices of the part
///         that option k uses, else 0, and p_k is the product of the weights of its values.
class SharedAxes {
 public:
  /// Makes the axes of a tensor, one per dimension.
  explicit SharedAxes(std::vector<SharedAxis> axes);

  /// Returns the labels that decide the sizes.
  const std::set<std::string>& labels() const { return labels_; }

  /// Takes the choices of its labels from `choices`; they decide from now on.
  void follow(const ValueChoices& choices) { choices_ = choices_of(labels_, choices); }

  /// Returns the sizes of the stored tensor.
  std::vector<int64_t> largest() const;

  /// Returns the part of `stored` that the frozen layer of `architecture` has.
  at::Tensor at(const at::Tensor& stored, const Architecture& architecture) const;

  /// Returns, per axis, the indices used in this pass by any of the chosen options.
  const std::vector<std::vector<Span>>& kept();

  /// Returns the sizes of the part.
  std::vector<int64_t> sizes();

  /// Returns the part of `stored`; a view unless an axis has several spans. Differentiable.
  at::Tensor part(const at::Tensor& stored);

  /// Writes `values` into the part of `stored`, which has one axis.
  void write(at::Tensor stored, const at::Tensor& values);

  /// Returns the mask, which broadcasts over the part; differentiable in the mutator's weights.
  /// Undefined: 1 everywhere.
  at::Tensor mask(const at::TensorOptions& like);

 private:
  void update();

  std::vector<SharedAxis> axes_;
  std::set<std::string> labels_;
  ValueChoices choices_;
  // Cached for the decisions of the last pass:
  std::vector<int64_t> key_;
  std::vector<std::vector<Span>> kept_;
  std::vector<at::Tensor> masks_;  // per axis [n options, size of the part]; undefined: all 1
};

}  // namespace retia
