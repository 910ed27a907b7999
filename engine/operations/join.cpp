#include "retia/engine/operations/join.h"

#include <ATen/ops/cat.h>

#include "retia/engine/operations/primitive.h"
#include "retia/engine/symbolic/channels.h"

namespace retia {
namespace {

const Shape& equal_inputs(const std::vector<Shape>& inputs) {
  TORCH_CHECK(!inputs.empty(), "expected at least one input, got none");
  for (const Shape& shape : inputs) {
    TORCH_CHECK(always_equal(shape, inputs.front()), "expected inputs of equal shape, got ",
                ir::to_string(inputs.front()), " and ", ir::to_string(shape));
  }
  return inputs.front();
}

/// Throws where channels that stand on each other would be cut in different places.
void check_parts(const std::vector<Shape>& inputs) {
  for (const Shape& shape : inputs) {
    TORCH_CHECK(shape.empty() || ir::same_parts(shape[0], inputs.front()[0]),
                "expected channels that a ", "supernet cuts alike, got ",
                inputs.front()[0].to_string(), " and ", shape[0].to_string(),
                ": join the same parts in the same order, or explore by trials (retia explore)");
  }
}

at::Tensor sum(at::TensorList inputs) {
  at::Tensor result = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) {
    result = result + inputs[i];
  }
  return result;
}

class Add final : public Primitive<ops::NoOptions> {
 public:
  Add() : Primitive("add") {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    return equal_inputs(inputs);
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes& inputs) const override {
    check_parts(inputs);
    return function_layer(sum);
  }
};

class Mean final : public Primitive<ops::NoOptions> {
 public:
  Mean() : Primitive("mean") {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    return equal_inputs(inputs);
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes& inputs) const override {
    check_parts(inputs);
    return function_layer(
        [](at::TensorList tensors) { return sum(tensors) / static_cast<double>(tensors.size()); });
  }
};

class Concat final : public Primitive<ops::NoOptions> {
 public:
  Concat() : Primitive("concat") {}

  Ranges passed_on(const Json&, const Shapes& inputs) const override {
    std::vector<ir::ChannelRange> ranges;
    for (size_t i = 0; i < inputs.size(); ++i) {
      ranges.push_back({.input = i, .size = inputs[i].front().value()});
    }
    return ranges;
  }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    TORCH_CHECK(!inputs.empty(), "expected at least one input, got none");
    for (const Shape& shape : inputs) {
      TORCH_CHECK(!shape.empty(), "expected inputs with at least one dimension, got []");
    }
    Shape result = inputs.front();
    for (size_t i = 1; i < inputs.size(); ++i) {
      const Shape rest(inputs[i].begin() + 1, inputs[i].end());
      TORCH_CHECK(always_equal(rest, Shape(result.begin() + 1, result.end())),
                  "expected inputs that agree but for the first dimension, got ",
                  ir::to_string(inputs.front()), " and ", ir::to_string(inputs[i]));
      result[0] = ir::joined(result[0], inputs[i][0]);
    }
    return result;
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes&) const override {
    return function_layer([](at::TensorList inputs) { return at::cat(inputs, 1); });
  }
};

class NothingChosenLayer final : public Layer {
 public:
  explicit NothingChosenLayer(std::vector<int64_t> sizes) : sizes_(std::move(sizes)) {}
  at::Tensor forward(at::TensorList inputs) override {
    std::vector<int64_t> all = {inputs[0].size(0)};
    all.insert(all.end(), sizes_.begin(), sizes_.end());
    return inputs[0].new_zeros(all);
  }
  bool always_zero() const override { return true; }

 private:
  std::vector<int64_t> sizes_;
};

class NothingChosen final : public Primitive<NothingChosenOptions> {
 public:
  NothingChosen() : Primitive("zeros") {}

  bool always_zero() const override { return true; }

 private:
  Shape infer(const NothingChosenOptions& o, const Shapes& inputs) const override {
    one_input(inputs);
    return o.shape;
  }
  std::shared_ptr<Layer> make(const NothingChosenOptions& o, const Shapes&) const override {
    return std::make_shared<NothingChosenLayer>(decided(o.shape));
  }
};

}  // namespace

ir::Operation ops::add() { return operation<Add>(ops::NoOptions{}); }
ir::Operation ops::mean() { return operation<Mean>(ops::NoOptions{}); }
ir::Operation ops::concat() { return operation<Concat>(ops::NoOptions{}); }
ir::Operation ops::nothing_chosen(const NothingChosenOptions& options) {
  return operation<NothingChosen>(options);
}

}  // namespace retia
