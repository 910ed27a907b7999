#include "retia/engine/operations/shared_axes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "retia/engine/symbolic/channels.h"

namespace retia {
namespace {

using Spans = std::vector<Span>;

int64_t length(const Spans& spans) {
  int64_t sum = 0;
  for (const Span& span : spans) {
    sum += span.end - span.begin;
  }
  return sum;
}

/// `tensor` with only the spans of dimension `dim`.
at::Tensor cut(const at::Tensor& tensor, int64_t dim, const Spans& spans) {
  if (length(spans) == tensor.size(dim)) {
    return tensor;
  }
  std::vector<at::Tensor> pieces;
  for (const Span& span : spans) {
    pieces.push_back(tensor.narrow(dim, span.begin, span.end - span.begin));
  }
  return pieces.size() == 1 ? pieces.front() : at::cat(pieces, dim);
}

at::Tensor cut(at::Tensor tensor, const std::vector<Spans>& kept) {
  for (size_t i = 0; i < kept.size(); ++i) {
    tensor = cut(tensor, static_cast<int64_t>(i), kept[i]);
  }
  return tensor;
}

/// Returns the union of the spans of all options: for each part the largest one, since they are
/// nested.
Spans around(const std::vector<Spans>& options) {
  Spans result = options.front();
  for (const Spans& option : options) {
    for (size_t i = 0; i < result.size(); ++i) {
      result[i].begin = std::min(result[i].begin, option[i].begin);
      result[i].end = std::max(result[i].end, option[i].end);
    }
  }
  return result;
}

/// Returns one row per option: 1 where the option uses an index of `part`, else 0.
at::Tensor masks(const std::vector<Spans>& options, const Spans& part) {
  at::Tensor rows = at::zeros({static_cast<int64_t>(options.size()), length(part)}, at::kDouble);
  for (size_t k = 0; k < options.size(); ++k) {
    int64_t offset = 0;
    for (size_t i = 0; i < part.size(); ++i) {
      const Span& kept = options[k][i];
      rows[static_cast<int64_t>(k)]
          .narrow(0, offset + kept.begin - part[i].begin, kept.end - kept.begin)
          .fill_(1);
      offset += part[i].end - part[i].begin;
    }
  }
  return rows;
}

}  // namespace

SharedAxis::SharedAxis(std::vector<Dim> parts, Place place) : place_(place) {
  for (Dim& part : parts) {
    const int64_t most = part.max();
    parts_.push_back({std::move(part), most});
  }
}

SharedAxis SharedAxis::whole(int64_t size) { return {{size}, Place::First}; }
SharedAxis SharedAxis::channels(const Dim& channels) { return {ir::parts(channels), Place::First}; }
SharedAxis SharedAxis::kernel(const Dim& size) { return {{size}, Place::Middle}; }

int64_t SharedAxis::largest() const {
  int64_t sum = 0;
  for (const Part& part : parts_) {
    sum += part.largest;
  }
  return sum;
}

std::vector<Span> SharedAxis::kept(const Architecture& architecture) const {
  std::vector<Span> spans;
  int64_t offset = 0;
  for (const Part& part : parts_) {
    const int64_t size = part.size.at(architecture).value();
    const int64_t before = place_ == Place::Middle ? (part.largest - size) / 2 : 0;
    spans.push_back({offset + before, offset + before + size});
    offset += part.largest;
  }
  return spans;
}

std::set<std::string> SharedAxis::labels() const {
  std::set<std::string> labels;
  for (const Part& part : parts_) {
    for (const auto& [label, count] : part.size.expression().choices()) {
      labels.insert(label);
    }
  }
  return labels;
}

SharedAxes::SharedAxes(std::vector<SharedAxis> axes) : axes_(std::move(axes)) {
  for (const SharedAxis& axis : axes_) {
    labels_.merge(axis.labels());
  }
}

std::vector<int64_t> SharedAxes::largest() const {
  std::vector<int64_t> sizes;
  for (const SharedAxis& axis : axes_) {
    sizes.push_back(axis.largest());
  }
  return sizes;
}

at::Tensor SharedAxes::at(const at::Tensor& stored, const Architecture& architecture) const {
  std::vector<Spans> kept;
  for (const SharedAxis& axis : axes_) {
    kept.push_back(axis.kept(architecture));
  }
  return cut(stored, kept);
}

void SharedAxes::update() {
  std::vector<int64_t> key = chosen_by(choices_);
  if (!kept_.empty() && key == key_) {
    return;
  }
  TORCH_INTERNAL_ASSERT(choices_.size() == labels_.size());
  kept_.clear();
  masks_.clear();
  const std::vector<Architecture> options = joint_options(choices_);
  for (const SharedAxis& axis : axes_) {
    std::vector<Spans> of_options;
    for (const Architecture& option : options) {
      of_options.push_back(axis.kept(option));
    }
    kept_.push_back(around(of_options));
    const bool varies = std::any_of(of_options.begin(), of_options.end(),
                                    [&](const Spans& spans) { return spans != kept_.back(); });
    masks_.push_back(varies ? masks(of_options, kept_.back()) : at::Tensor());
  }
  key_ = std::move(key);
}

const std::vector<std::vector<Span>>& SharedAxes::kept() {
  update();
  return kept_;
}

std::vector<int64_t> SharedAxes::sizes() {
  std::vector<int64_t> sizes;
  for (const Spans& spans : kept()) {
    sizes.push_back(length(spans));
  }
  return sizes;
}

at::Tensor SharedAxes::part(const at::Tensor& stored) { return cut(stored, kept()); }

void SharedAxes::write(at::Tensor stored, const at::Tensor& values) {
  int64_t offset = 0;
  for (const Span& span : kept().front()) {
    const int64_t size = span.end - span.begin;
    stored.narrow(0, span.begin, size).copy_(values.narrow(0, offset, size));
    offset += size;
  }
}

at::Tensor SharedAxes::mask(const at::TensorOptions& like) {
  update();
  const at::Tensor p = joint_weights(choices_, like);
  if (!p.defined()) {
    return {};
  }
  // sum_k p_k a_k b_k c_k, where a is the first axis that varies: a matrix product.
  at::Tensor first, others;
  std::vector<int64_t> shape;
  for (at::Tensor& mask : masks_) {
    shape.push_back(mask.defined() ? mask.size(1) : 1);
    if (!mask.defined()) {
      continue;
    }
    mask = mask.to(like);  // kept, so that it is moved to the device once
    if (!first.defined()) {
      first = mask * p.unsqueeze(1);
    } else {
      others = others.defined() ? (others.unsqueeze(2) * mask.unsqueeze(1)).flatten(1) : mask;
    }
  }
  if (!first.defined()) {
    return p.sum();
  }
  return (others.defined() ? first.t().matmul(others) : first.sum(0)).view(shape);
}

}  // namespace retia
