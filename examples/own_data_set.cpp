#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/remainder.h>
#include <retia/program.h>

using namespace retia;

/// Images of 8 x 8 with one bright stripe. The class is whether it is a row or a column.
Dataset stripes(int64_t n) {
  Dataset set{.name = "stripes",
              .inputs = at::full({n, 1, 8, 8}, 20, at::kByte),
              .targets = at::arange(n, at::kLong).remainder(2),
              .n_classes = 2};
  for (int64_t i = 0; i < n; ++i) {
    const int64_t axis = i % 2, place = i / 2 % 8;
    set.inputs[i][0].select(axis, place).fill_(220);
  }
  return set;
}

/// The program limits the set, and finds its statistics.
DataSplits load_stripes(const DataOptions&) { return {.train = stripes(512), .test = stripes(64)}; }

int main(int argc, char** argv) {
  Program program;
  program.data_sets.add("stripes", load_stripes);
  return program.run(argc, argv);
}
