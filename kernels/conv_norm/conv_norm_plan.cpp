#include "retia/kernels/conv_norm/conv_norm_plan.h"

#include <algorithm>
#include <limits>

#include "retia/kernels/parallel.h"

namespace retia::kernels {
namespace {

/// Returns the number of parts of an image: enough that few images make kRuns parts, and pixels
/// enough for a part. Where a product's weights have gradients, a part costs as much as about ten
/// pixels: a sum of all weights that is cleared and added.
int64_t parts_of(int64_t n_images, int64_t n_pixels, bool has_product) {
  const int64_t least = has_product ? 128 : 32;
  return std::clamp<int64_t>(cpu::kRuns / n_images, 1, std::max<int64_t>(n_pixels / least, 1));
}

int64_t kernel_of(ConvKind kind, at::TensorList weights) {
  switch (kind) {
    case ConvKind::None:
      return 1;
    case ConvKind::Halving:
      return 2;
    case ConvKind::MaxPool3:
    case ConvKind::AveragePool3:
      return 3;
    default:
      return weights[0].size(2);
  }
}

std::vector<Tap> taps_of_kind(ConvKind kind, int64_t kernel, int64_t dilation) {
  return kind == ConvKind::Halving ? std::vector<Tap>{{0, 0}, {1, 1}} : taps_of(kernel, dilation);
}

Offsets rows(int64_t n, int64_t step) {
  Offsets table;
  for (int64_t i = 0; i < whole(n); ++i) {
    table.push_back(static_cast<int32_t>(i * step));
  }
  return table;
}

}  // namespace

template <class T>
template <class Visit>
void ConvNormPlan<T>::visit_product(at::TensorList weights, const Visit& visit) const {
  const bool halving = kind == ConvKind::Halving;
  int64_t first_out = 0;
  for (size_t w = kind == ConvKind::Separable ? 1 : 0; w < weights.size(); ++w) {
    const int64_t n_taps = weights[w].size(2) * weights[w].size(3);
    parallel_where_worth(weights[w].size(0), weights[w].numel(), [&](int64_t o) {
      int64_t place = o * channels_in * n_taps;
      for (int64_t i = 0; i < channels_in; ++i) {
        for (int64_t t = 0; t < n_taps; ++t) {
          visit(place++, w, first_out + o, halving ? static_cast<int64_t>(w) : t, i);
        }
      }
    });
    first_out += weights[w].size(0);
  }
}

template <class T>
ConvNormPlan<T>::ConvNormPlan(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& o,
                              Way way)
    : kind(static_cast<ConvKind>(o.kind)),
      relu_before(o.relu_before),
      n(x.size(0)),
      channels_in(x.size(1)),
      channels_out(kernels::channels_out(x, weights, kind)),
      c_in(whole(channels_in)),
      c_out(whole(channels_out)),
      kernel(kernel_of(kind, weights)),
      dilation(o.dilation),
      geometry(x.size(2), x.size(3), std::max<int64_t>(1, kernel / 2 * dilation), o.stride, c_in),
      in_lanes(best_lanes<T>(c_in)),
      out_lanes(best_lanes<T>(c_out)),
      out_rows(rows(geometry.n_out, c_out)),
      n_parts(parts_of(n, geometry.n_out, is_dense() || kind == ConvKind::Separable)) {
  const std::vector<Tap> all = taps_of_kind(kind, kernel, dilation);
  for (const Tap& tap : all) {
    taps.push_back(static_cast<int32_t>(tap.y * geometry.in.row() + tap.x * c_in));
  }
  wide_rows = rows(cpu::kBlock, columns());
  const auto n_taps = static_cast<int64_t>(all.size());
  if (is_depthwise()) {
    stencil = pack_stencil<T>(weights[0].contiguous(), c_in);
  } else if (is_pool()) {
    stencil = Numbers<T>(n_taps * c_in);
    std::fill_n(stencil.get(), n_taps * c_in, T(1));
  }
  if (is_dense() || kind == ConvKind::Separable) {
    product = Numbers<T>(columns() * c_out);
    std::vector<at::Tensor> sources;
    for (const at::Tensor& weight : weights) {
      sources.push_back(weight.contiguous());
    }
    std::vector<const T*> numbers;
    for (const at::Tensor& source : sources) {
      numbers.push_back(source.const_data_ptr<T>());
    }
    const int64_t to_step = way == Way::Forward ? 1 : columns();
    const int64_t column_step = way == Way::Forward ? c_out : 1;
    visit_product(sources, [&](int64_t place, size_t w, int64_t to, int64_t t, int64_t from) {
      product[to * to_step + (t * c_in + from) * column_step] = numbers[w][place];
    });
  }
  if (way == Way::Backward && (is_depthwise() || kind == ConvKind::AveragePool3)) {
    for (const Phase& phase : geometry.phases) {
      through.push_back(taps_through(phase, geometry, all, stencil));
    }
  }
}

template <class T>
void ConvNormPlan<T>::unpack(const T* stencil_sum, const T* product_sum,
                             std::vector<at::Tensor>& gradients) const {
  if (is_depthwise()) {
    const int64_t n_taps = kernel * kernel;
    T* const to = gradients[0].mutable_data_ptr<T>();
    for (int64_t i = 0; i < channels_in; ++i) {
      for (int64_t t = 0; t < n_taps; ++t) {
        to[i * n_taps + t] = stencil_sum[t * c_in + i];
      }
    }
  }
  if (is_dense() || kind == ConvKind::Separable) {
    std::vector<T*> numbers;
    for (const at::Tensor& gradient : gradients) {
      numbers.push_back(gradient.mutable_data_ptr<T>());
    }
    const int64_t row = columns();
    visit_product(gradients, [&](int64_t place, size_t w, int64_t to, int64_t t, int64_t from) {
      numbers[w][place] = product_sum[to * row + t * c_in + from];
    });
  }
}

template <class T>
Pixels ConvNormPlan<T>::inputs_of(Pixels outputs) const {
  if (!has_tile()) {
    return outputs;
  }
  const auto begin = [&](int64_t output) {
    return output == geometry.n_out
               ? geometry.n_in
               : output / geometry.out.width * geometry.stride * geometry.in.width;
  };
  return {begin(outputs.first), begin(outputs.end)};
}

template <class T>
Pixels ConvNormPlan<T>::inputs_read_by(Pixels outputs) const {
  if (!has_tile()) {
    return outputs;
  }
  const auto row = [&](int64_t output) { return output / geometry.out.width * geometry.stride; };
  const int64_t first = std::max<int64_t>(row(outputs.first) - reach(), 0);
  const int64_t end = std::min(row(outputs.end - 1) + reach() + 1, geometry.in.height);
  return {first * geometry.in.width, end * geometry.in.width};
}

template <class T>
Pixels ConvNormPlan<T>::outputs_reading(Pixels inputs) const {
  if (!has_tile()) {
    return inputs;
  }
  const int64_t first = inputs.first / geometry.in.width - reach();
  const int64_t last = (inputs.end - 1) / geometry.in.width + reach();
  const int64_t stride = geometry.stride;
  const int64_t first_out = first <= 0 ? 0 : (first + stride - 1) / stride;
  const int64_t end_out = std::min(last / stride + 1, geometry.out.height);
  return {first_out * geometry.out.width, end_out * geometry.out.width};
}

namespace cpu {

template <class T>
ConvNormWorkspace<T>::ConvNormWorkspace(const ConvNormPlan<T>& plan)
    : ones(std::max(plan.c_in, plan.c_out)),
      zeros(std::max(plan.c_in, plan.c_out)),
      source(plan.kind == ConvKind::None ? 0 : plan.source_size()),
      block(plan.kind == ConvKind::Separable ? kBlock * plan.c_in : 0),
      shares(plan.kind == ConvKind::AveragePool3 ? plan.geometry.n_out_whole : 0) {
  std::fill_n(ones.get(), std::max(plan.c_in, plan.c_out), T(1));
  const Tile& in = plan.geometry.in;
  if (plan.kind == ConvKind::MaxPool3) {
    std::fill_n(source.get(), plan.source_size(), -std::numeric_limits<T>::infinity());
  }
  for (int64_t p = 0; shares.get() != nullptr && p < plan.geometry.n_out; ++p) {
    const int64_t y = p / plan.geometry.out.width * plan.geometry.stride;
    const int64_t x = p % plan.geometry.out.width * plan.geometry.stride;
    const int64_t n_rows = std::min(y + 2, in.height) - std::max<int64_t>(y - 1, 0);
    const int64_t n_columns = std::min(x + 2, in.width) - std::max<int64_t>(x - 1, 0);
    shares[p] = T(1) / static_cast<T>(n_rows * n_columns);
  }
}

template <class T>
ConvNormBackwardWorkspace<T>::ConvNormBackwardWorkspace(const ConvNormPlan<T>& plan)
    : ConvNormWorkspace<T>(plan),
      before(Numbers<T>::unset(
          plan.kind == ConvKind::None ? 0 : plan.geometry.n_out_whole * plan.c_out)),
      bordered(plan.is_depthwise() || plan.kind == ConvKind::AveragePool3 ? plan.geometry.out.size()
                                                                          : 0),
      wide(plan.is_dense() ? kBlock * plan.columns() : 0),
      pooled(plan.kind == ConvKind::MaxPool3 ? plan.geometry.n_out_whole * plan.c_in : 0),
      to(plan.kind == ConvKind::None ? 0 : plan.source_size()) {}

template <class T>
const T* fill_source(const ConvNormPlan<T>& plan, const T* x, Pixels inputs,
                     const ConvNormWorkspace<T>& w) {
  const Geometry& g = plan.geometry;
  const int32_t* const to = (plan.has_tile() ? g.in_write : g.flat).data() + inputs.first;
  const T* const from = x + inputs.first * plan.c_in;
  if (plan.relu_before) {
    plan.in_lanes.rectify(from, w.ones.get(), w.zeros.get(), w.source.get(), to, inputs.n(),
                          plan.c_in);
  } else if (plan.has_tile() || g.n_in % kPixelGroup != 0) {
    plan.in_lanes.copy(from, w.source.get(), to, inputs.n(), plan.c_in);
  } else {
    return x;
  }
  return w.source.get();
}

template <class T>
void run_stencil(const ConvNormPlan<T>& plan, const T* source, int64_t p, int64_t n, T* to,
                 const ConvNormWorkspace<T>& w) {
  const int32_t* const from = plan.geometry.centres.data() + p;
  const int32_t* const rows = plan.geometry.flat.data();
  if (plan.kind == ConvKind::MaxPool3) {
    plan.in_lanes.maximum(source, from, plan.taps.data(), to, n, plan.c_in, {});
    return;
  }
  plan.in_lanes.stencil(source, from, plan.taps.data(), static_cast<int64_t>(plan.taps.size()),
                        plan.stencil.get(), to, rows, n, plan.c_in);
  if (plan.kind == ConvKind::AveragePool3) {
    plan.in_lanes.scale(to, w.shares + p, to, rows, n, plan.c_in);
  }
}

template struct ConvNormWorkspace<float>;
template struct ConvNormWorkspace<double>;
template struct ConvNormBackwardWorkspace<float>;
template struct ConvNormBackwardWorkspace<double>;
template const float* fill_source(const ConvNormPlan<float>&, const float*, Pixels,
                                  const ConvNormWorkspace<float>&);
template const double* fill_source(const ConvNormPlan<double>&, const double*, Pixels,
                                   const ConvNormWorkspace<double>&);
template void run_stencil(const ConvNormPlan<float>&, const float*, int64_t, int64_t, float*,
                          const ConvNormWorkspace<float>&);
template void run_stencil(const ConvNormPlan<double>&, const double*, int64_t, int64_t, double*,
                          const ConvNormWorkspace<double>&);

}  // namespace cpu

template struct ConvNormPlan<float>;
template struct ConvNormPlan<double>;

}  // namespace retia::kernels
