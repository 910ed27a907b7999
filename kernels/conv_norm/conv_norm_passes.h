#pragma once

#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/threshold_backward.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <vector>

#include "retia/kernels/conv_norm/conv_norm.h"
#include "retia/kernels/conv_norm/conv_norm_kernels.cuh"
#include "retia/kernels/passes_over_ranks.h"

namespace retia::kernels {

/// Computes conv_norm on a device as passes over memory, each a body of conv_norm_kernels.cuh that
/// `Runner::each(body, n)` runs n times. Dense and pointwise convolutions are ATen's. Results do
/// not depend on the order in which bodies run. scalar_t: the dtype of x, which bodies know as
/// `Runner::Stored<scalar_t>`.
///
/// Saved for backward: the tensor that is normalised, and the factors of each channel, [4, out].
template <class Runner, class scalar_t>
class ConvNormPasses {
 public:
  ConvNormPasses(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                 const ConvNormOptions& options)
      : x_(x),
        weights_(weights),
        affine_(affine),
        o_(options),
        kind_(static_cast<ConvKind>(options.kind)),
        c_out_(static_cast<int>(channels_out(x, weights, kind_))) {
    const auto strided = [&](int64_t size) {
      return static_cast<int>((size + options.stride - 1) / options.stride);
    };
    const bool is_depthwise = kind_ == ConvKind::Depthwise || kind_ == ConvKind::Separable;
    stencil_ = {static_cast<int>(x.size(2)),
                static_cast<int>(x.size(3)),
                strided(x.size(2)),
                strided(x.size(3)),
                static_cast<int>(x.size(1)),
                is_depthwise ? static_cast<int>(weights[0].size(2)) : 3,
                static_cast<int>(options.stride),
                is_depthwise ? static_cast<int>(options.dilation) : 1,
                options.relu_before};
    pixels_ = static_cast<int>(x.size(0)) * stencil_.height_out * stencil_.width_out;
    const int64_t widest = std::max<int64_t>(x.size(1), c_out_);
    TORCH_CHECK(widest * x.size(0) * x.size(2) * x.size(3) <= std::numeric_limits<int>::max(),
                "conv_norm: a tensor on a GPU may hold 2^31 - 1 numbers, but x is ", x.sizes());
  }

  /// Returns what conv_norm_operators::Forward returns.
  ConvNormForward forward(at::TensorList running) {
    const at::Tensor y = convolved();
    const at::Tensor norm = sums({4, c_out_});
    const at::Tensor batch = o_.training ? moments(y) : sums({0});
    Runner::each(cuda::Normaliser<S>{c_out_, o_.training ? read(batch) : nullptr, read(affine_, 0),
                                     read(affine_, 1), read(running, 0), read(running, 1),
                                     write<S>(norm), static_cast<S>(o_.epsilon)},
                 c_out_);
    const at::Tensor out = at::empty_like(y);
    Runner::each(cuda::Normalise<T>{c_out_, stored(y), read(norm), o_.relu_after, write<T>(out)},
                 out.numel());
    return {out, kind_ == ConvKind::None ? stored_like({0}) : y, norm,
            o_.training ? batch.unsqueeze(0) : batch};
  }

  /// Returns the gradients. kept, norm: as forward returned them.
  ConvNormGradients backward(const at::Tensor& gradient, const at::Tensor& kept,
                             const at::Tensor& norm, ConvNormNeeds needs) {
    const at::Tensor& y = kind_ == ConvKind::None ? x_ : kept;
    const cuda::Slices slices = sliced(c_out_);
    at::Tensor found = sums({slices.n, 2, c_out_});
    Runner::each(cuda::Correlate<T>{slices, c_out_, stored(gradient), stored(y), read(norm),
                                    o_.relu_after, write<S>(found)},
                 int64_t{slices.n} * c_out_);
    found = joined(found);
    const at::Tensor means = o_.training ? mean_over_pixels(found, pixels_, o_.ranks) : found;
    const at::Tensor coefficients = sums({3, c_out_}), affine = sums({2, c_out_});
    Runner::each(cuda::Coefficients<S>{c_out_, read(found), read(means), read(norm), o_.training,
                                       write<S>(coefficients), write<S>(affine)},
                 c_out_);
    const at::Tensor before = at::empty_like(y);
    Runner::each(cuda::NormaliseBack<T>{c_out_, stored(gradient), stored(y), read(norm),
                                        read(coefficients), o_.relu_after, write<T>(before)},
                 before.numel());
    ConvNormGradients result = through_convolution(before, needs);
    if (!affine_.empty()) {
      result.affine = {affine[0], affine[1]};
    }
    return result;
  }

 private:
  using T = typename Runner::template Stored<scalar_t>;
  using S = cuda::Sum<T>;
  static constexpr at::ScalarType kSum = c10::CppTypeToScalarType<S>::value;
  static constexpr int kPixelsOfSlice = 64, kMostSlices = 1024, kThreads = 1 << 18;

  static const T* stored(const at::Tensor& tensor) {
    return reinterpret_cast<const T*>(tensor.const_data_ptr<scalar_t>());
  }
  static const S* read(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.const_data_ptr<S>() : nullptr;
  }
  static const S* read(at::TensorList list, size_t i) {
    return list.empty() ? nullptr : read(list[i]);
  }
  template <class To>
  static To* write(const at::Tensor& tensor) {
    return static_cast<To*>(tensor.mutable_data_ptr());
  }
  at::Tensor stored_like(at::IntArrayRef sizes) const {
    return at::empty(sizes, x_.options().memory_format({}));
  }
  at::Tensor sums(at::IntArrayRef sizes) const {
    return at::empty(sizes, x_.options().dtype(kSum).memory_format({}));
  }
  /// Makes a tensor for the result of the stencil.
  at::Tensor made() const {
    return at::empty({x_.size(0), x_.size(1), stencil_.height_out, stencil_.width_out},
                     x_.options().memory_format(at::MemoryFormat::ChannelsLast));
  }
  at::Tensor like_x() const {
    return at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
  }
  at::Tensor in_dtype(size_t weight) const { return weights_[weight].to(x_.scalar_type()); }
  /// Returns the depthwise weights, [c, 1, k, k], in the dtype of sums.
  at::Tensor taps() const { return weights_[0].to(kSum).contiguous(); }
  static at::Tensor channels_last(const at::Tensor& tensor) {
    return tensor.contiguous(at::MemoryFormat::ChannelsLast);
  }

  /// Returns what dense convolutions read.
  at::Tensor source() const { return o_.relu_before ? at::relu(x_) : x_; }
  at::Tensor shifted(const at::Tensor& source) const {
    return at::constant_pad_nd(source, {-1, x_.size(3) % 2, -1, x_.size(2) % 2}, 0);
  }

  at::Tensor convolved() const {
    const at::Tensor out = kind_ == ConvKind::None || is_dense() ? at::Tensor() : made();
    switch (kind_) {
      case ConvKind::None:
        return x_;
      case ConvKind::Dense: {
        const int64_t padding = weights_[0].size(2) / 2 * o_.dilation;
        return channels_last(
            at::conv2d(source(), in_dtype(0), {}, o_.stride, padding, o_.dilation));
      }
      case ConvKind::Halving: {
        const at::Tensor read_of = source();
        return channels_last(at::cat({at::conv2d(read_of, in_dtype(0), {}, 2),
                                      at::conv2d(shifted(read_of), in_dtype(1), {}, 2)},
                                     1));
      }
      case ConvKind::Depthwise:
        return depthwise();
      case ConvKind::Separable:
        return channels_last(at::conv2d(depthwise(), in_dtype(1)));
      case ConvKind::MaxPool3:
        Runner::each(cuda::MaxPool<T>{stencil_, stored(x_), write<T>(out)}, out.numel());
        return out;
      case ConvKind::AveragePool3:
        Runner::each(cuda::AveragePool<T>{stencil_, stored(x_), write<T>(out)}, out.numel());
        return out;
    }
    TORCH_INTERNAL_ASSERT(false);
  }

  bool is_dense() const { return kind_ == ConvKind::Dense || kind_ == ConvKind::Halving; }

  at::Tensor depthwise() const {
    const at::Tensor out = made(), weights = taps();
    Runner::each(cuda::Depthwise<T>{stencil_, stored(x_), read(weights), write<T>(out)},
                 out.numel());
    return out;
  }

  /// Returns the slices for sums of so many columns: enough for the threads of a GPU, and no more.
  cuda::Slices sliced(int64_t columns) const {
    const int enough = std::clamp(static_cast<int>(kThreads / columns), 1, kMostSlices);
    return {pixels_, std::clamp(pixels_ / kPixelsOfSlice, 1, enough)};
  }

  static int64_t joins(int64_t slices) { return (slices + cuda::kJoined - 1) / cuda::kJoined; }

  /// Returns count, mean and sum of squares about the mean of the batch, [3, c].
  at::Tensor moments(const at::Tensor& y) const {
    const cuda::Slices slices = sliced(c_out_);
    at::Tensor found = sums({slices.n, 3, c_out_});
    Runner::each(cuda::Moments<T>{slices, c_out_, stored(y), write<S>(found)},
                 int64_t{slices.n} * c_out_);
    while (found.size(0) > 1) {
      const auto n = static_cast<int>(found.size(0));
      const at::Tensor fewer = sums({joins(n), 3, c_out_});
      Runner::each(cuda::JoinMoments<S>{n, c_out_, read(found), write<S>(fewer)},
                   fewer.size(0) * c_out_);
      found = fewer;
    }
    return o_.ranks == nullptr ? found[0] : batch_of_all_ranks(found, *o_.ranks)[0];
  }

  /// Returns the sum over the first axis.
  at::Tensor joined(at::Tensor slices) const {
    while (slices.size(0) > 1) {
      const auto n = static_cast<int>(slices.size(0));
      const auto width = static_cast<int>(slices[0].numel());
      std::vector<int64_t> sizes = slices.sizes().vec();
      sizes[0] = joins(n);
      const at::Tensor fewer = sums(sizes);
      Runner::each(cuda::JoinSums<S>{n, width, read(slices), write<S>(fewer)}, fewer.numel());
      slices = fewer;
    }
    return slices[0];
  }

  ConvNormGradients through_convolution(const at::Tensor& before, ConvNormNeeds needs) const {
    ConvNormGradients result;
    result.weights.resize(weights_.size());
    const at::Tensor to_x =
        needs.x && kind_ != ConvKind::None && !is_dense() ? like_x() : at::Tensor();
    switch (kind_) {
      case ConvKind::None:
        result.x = before;
        break;
      case ConvKind::Dense: {
        const int64_t padding = weights_[0].size(2) / 2 * o_.dilation;
        result.x = back(before, source(), 0, o_.stride, padding, needs, result);
        break;
      }
      case ConvKind::Halving: {
        const at::Tensor from = source();
        const int64_t even = weights_[0].size(0);
        const at::Tensor first = before.narrow(1, 0, even),
                         second = before.narrow(1, even, before.size(1) - even);
        result.x = back(first, from, 0, 2, 0, needs, result);
        const at::Tensor moved = back(second, shifted(from), 1, 2, 0, needs, result);
        if (needs.x) {
          result.x = at::add(result.x, at::constant_pad_nd(
                                           moved, {1, -(x_.size(3) % 2), 1, -(x_.size(2) % 2)}, 0));
        }
        break;
      }
      case ConvKind::Depthwise:
        through_depthwise(before, to_x, needs, result);
        return result;
      case ConvKind::Separable: {
        const at::Tensor block = depthwise();
        through_depthwise(
            channels_last(back(before, block, 1, 1, 0, {true, needs.weights}, result)), to_x, needs,
            result);
        return result;
      }
      case ConvKind::MaxPool3:
        if (needs.x) {
          Runner::each(cuda::MaxPoolBack<T>{stencil_, stored(x_), stored(before), write<T>(to_x)},
                       to_x.numel());
          result.x = to_x;
        }
        return result;
      case ConvKind::AveragePool3:
        if (needs.x) {
          Runner::each(
              cuda::AveragePoolBack<T>{stencil_, stored(x_), stored(before), write<T>(to_x)},
              to_x.numel());
          result.x = to_x;
        }
        return result;
    }
    if (!needs.x) {
      result.x = at::Tensor();
    } else if (o_.relu_before) {
      result.x = at::threshold_backward(result.x, x_, 0);
    }
    return result;
  }

  /// Goes back through a convolution of ATen's that read `from`. Sets the gradient of the weight;
  /// returns the gradient of `from`.
  at::Tensor back(const at::Tensor& before, const at::Tensor& from, size_t weight, int64_t stride,
                  int64_t padding, ConvNormNeeds needs, ConvNormGradients& result) const {
    auto [to, to_weight, bias] = at::convolution_backward(
        before, from, in_dtype(weight), std::nullopt, {stride, stride}, {padding, padding},
        {weight == 0 ? o_.dilation : 1, weight == 0 ? o_.dilation : 1}, false, {0, 0}, 1,
        {needs.x, needs.weights, false});
    if (needs.weights) {
      result.weights[weight] = to_weight.to(weights_[weight].scalar_type());
    }
    return to;
  }

  void through_depthwise(const at::Tensor& before, const at::Tensor& to_x, ConvNormNeeds needs,
                         ConvNormGradients& result) const {
    if (needs.x) {
      const at::Tensor weights = taps();
      Runner::each(cuda::DepthwiseBack<T>{stencil_, stored(x_), stored(before), read(weights),
                                          write<T>(to_x)},
                   to_x.numel());
      result.x = to_x;
    }
    if (needs.weights) {
      const int64_t taps = int64_t{stencil_.kernel} * stencil_.kernel;
      const cuda::Slices slices = sliced(taps * stencil_.c);
      const at::Tensor found = sums({slices.n, taps, stencil_.c});
      Runner::each(
          cuda::DepthwiseWeights<T>{stencil_, slices, stored(x_), stored(before), write<S>(found)},
          found.numel());
      result.weights[0] =
          joined(found).t().reshape(weights_[0].sizes()).to(weights_[0].scalar_type());
    }
  }

  const at::Tensor x_;
  const at::TensorList weights_, affine_;
  const ConvNormOptions o_;
  const ConvKind kind_;
  const int c_out_;
  cuda::Stencil stencil_ = {};
  int pixels_ = 0;  // of a channel of the result, in all images
};

}  // namespace retia::kernels
