#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/ir/parameter.h"
#include "engine/mutables/value_choice.h"

namespace retia {

/// Indices `begin` to `end` - 1.
struct Span {
  int64_t begin = 0, end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// One dimension of a tensor that options of different sizes share. As many numbers are stored as
/// the largest option has; every other one keeps some of them.
class SharedAxis {
 public:
  /// All of `size` numbers are always kept.
  static SharedAxis whole(int64_t size);
  /// The first are kept; of joined channels the first of each part.
  static SharedAxis channels(const Dim& channels);
  /// The middle is kept, from (largest - size) // 2 on.
  static SharedAxis kernel(const Dim& size);

  int64_t largest() const;

  /// What the option of `architecture` keeps, in ascending order.
  std::vector<Span> kept(const Architecture& architecture) const;

  /// The labels that decide what is kept.
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

/// How a tensor is cut by what is decided:
///   part: what one of the options that are chosen keeps, so that of one option it is the tensor of
///         its frozen layer;
///   mask: sum_k p_k mask_k over the options k that are chosen, mask_k being 1 where option k keeps
///         a number of the part, else 0, and p_k the product of its values' weights.
class SharedAxes {
 public:
  explicit SharedAxes(std::vector<SharedAxis> axes);

  /// The labels that decide something.
  const std::set<std::string>& labels() const { return labels_; }

  /// Takes from `choices` those of its labels, which decide from now on.
  void follow(const ValueChoices& choices) { choices_ = choices_of(labels_, choices); }

  std::vector<int64_t> largest() const;

  /// What the frozen layer of `architecture` has of `stored`.
  at::Tensor at(const at::Tensor& stored, const Architecture& architecture) const;

  /// What is kept of each axis in this pass, by any of the chosen options.
  const std::vector<std::vector<Span>>& kept();

  /// Sizes of the part.
  std::vector<int64_t> sizes();

  /// The part of `stored`: a view where no axis has several parts. Differentiable.
  at::Tensor part(const at::Tensor& stored);

  /// Writes `values` over the part of `stored` (of one axis).
  void write(at::Tensor stored, const at::Tensor& values);

  /// Broadcasts over the part, differentiable in the mutator's weights; undefined: 1.
  at::Tensor mask(const at::TensorOptions& like);

 private:
  void update();

  std::vector<SharedAxis> axes_;
  std::set<std::string> labels_;
  ValueChoices choices_;
  // Of the decisions of the last pass:
  std::vector<int64_t> key_;
  std::vector<std::vector<Span>> kept_;
  std::vector<at::Tensor> masks_;  // per axis [n options, size of part]; undefined: all 1
};

}  // namespace retia
