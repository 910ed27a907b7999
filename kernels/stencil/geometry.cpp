#include "retia/kernels/stencil/geometry.h"

#include <ATen/Version.h>

#include <limits>
#include <string>

namespace retia::kernels {
namespace {

/// Fills up with `filler`, to be written, or with the last entry, to be read.
void fill_up(Offsets& table, int32_t filler) { table.resize(whole(table.size()), filler); }
void fill_up(Offsets& table) { fill_up(table, table.empty() ? 0 : table.back()); }

int64_t halves(int64_t size, int64_t stride) { return (size + stride - 1) / stride; }

Offsets table_of(const Tile& tile, int64_t height, int64_t width, int64_t step) {
  Offsets table;
  table.reserve(static_cast<size_t>(whole(height * width)));
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      table.push_back(static_cast<int32_t>(tile.at(y * step, x * step)));
    }
  }
  return table;
}

Phase phase_of(const Geometry& g, int64_t py, int64_t px) {
  Phase phase{py, px, 0, g.stride, halves(g.in.width - px, g.stride), {}, {}};
  const int64_t most = whole(halves(g.in.height, g.stride) * halves(g.in.width, g.stride));
  phase.from.reserve(static_cast<size_t>(most));
  phase.to.reserve(static_cast<size_t>(most));
  for (int64_t y = py; y < g.in.height; y += g.stride) {
    for (int64_t x = px; x < g.in.width; x += g.stride) {
      phase.from.push_back(static_cast<int32_t>(g.out.at(y / g.stride, x / g.stride)));
      phase.to.push_back(static_cast<int32_t>(g.in.at(y, x)));
    }
  }
  phase.n = static_cast<int64_t>(phase.to.size());
  fill_up(phase.from);
  fill_up(phase.to, static_cast<int32_t>(g.in.spare()));
  return phase;
}

}  // namespace

template <class T>
Lanes<T> best_lanes(int64_t channels) {
  const std::string capability = at::get_cpu_capability();
  return capability == "AVX512" ? lanes_avx512<T>(channels)
         : capability == "AVX2" ? lanes_avx2<T>(channels)
                                : lanes_baseline<T>(channels);
}

template <class T>
Numbers<T> pack_stencil(const at::Tensor& weight, int64_t c) {
  const T* const from = weight.const_data_ptr<T>();
  const int64_t n_taps = weight.size(2) * weight.size(3);
  const Numbers<T> packed(n_taps * c);
  for (int64_t i = 0; i < weight.size(0); ++i) {
    for (int64_t t = 0; t < n_taps; ++t) {
      packed[t * c + i] = from[i * n_taps + t];
    }
  }
  return packed;
}

std::vector<Tap> taps_of(int64_t kernel, int64_t dilation) {
  std::vector<Tap> taps;
  for (int64_t i = 0; i < kernel * kernel; ++i) {
    taps.push_back({(i / kernel - kernel / 2) * dilation, (i % kernel - kernel / 2) * dilation});
  }
  return taps;
}

Geometry::Geometry(int64_t height, int64_t width, int64_t border, int64_t step, int64_t c)
    : in{height, width, border, c},
      out{halves(height, step), halves(width, step), border, c},
      stride(step),
      n_in(height * width),
      n_out(out.height * out.width),
      n_out_whole(whole(n_out)),
      centres(table_of(in, out.height, out.width, step)),
      in_read(table_of(in, height, width, 1)),
      in_write(in_read),
      out_write(table_of(out, out.height, out.width, 1)),
      out_read(out_write) {
  TORCH_CHECK(in.size() <= std::numeric_limits<int32_t>::max(),
              "one image with its border may hold 2^31 - 1 values, but holds ", in.size());
  flat.reserve(static_cast<size_t>(whole(n_in)));
  for (int64_t i = 0; i < whole(n_in); ++i) {
    flat.push_back(static_cast<int32_t>(i * c));
  }
  for (Offsets* const read : {&centres, &in_read, &out_read}) {
    fill_up(*read);
  }
  fill_up(in_write, static_cast<int32_t>(in.spare()));
  fill_up(out_write, static_cast<int32_t>(out.spare()));
  for (int64_t i = 0; i < stride * stride; ++i) {
    phases.push_back(phase_of(*this, i / stride, i % stride));
  }
}

template <class T>
PhaseTaps<T> taps_through(const Phase& phase, const Geometry& g, const std::vector<Tap>& taps,
                          const Numbers<T>& stencil) {
  const int64_t c = g.in.c;
  PhaseTaps<T> through{{}, Numbers<T>(static_cast<int64_t>(taps.size()) * c)};
  for (size_t t = taps.size(); t-- > 0;) {
    const int64_t y = phase.y - taps[t].y;
    const int64_t x = phase.x - taps[t].x;
    if (y % g.stride == 0 && x % g.stride == 0) {
      const auto place = static_cast<int64_t>(through.taps.size()) * c;
      std::copy_n(stencil + static_cast<int64_t>(t) * c, c, through.weights + place);
      through.taps.push_back(static_cast<int32_t>(y / g.stride * g.out.row() + x / g.stride * c));
    }
  }
  return through;
}

template Lanes<float> best_lanes(int64_t);
template Lanes<double> best_lanes(int64_t);
template Numbers<float> pack_stencil(const at::Tensor&, int64_t);
template Numbers<double> pack_stencil(const at::Tensor&, int64_t);
template PhaseTaps<float> taps_through(const Phase&, const Geometry&, const std::vector<Tap>&,
                                       const Numbers<float>&);
template PhaseTaps<double> taps_through(const Phase&, const Geometry&, const std::vector<Tap>&,
                                        const Numbers<double>&);

}  // namespace retia::kernels
