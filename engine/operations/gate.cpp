#include "retia/engine/operations/gate.h"

#include "retia/engine/operations/primitive.h"
#include "retia/engine/symbolic/channels.h"

namespace retia {
namespace {

class Scale final : public Primitive<ops::NoOptions> {
 public:
  Scale() : Primitive("scale") {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    TORCH_CHECK(inputs.size() == 2, "expected a value and a number a channel, got ", inputs.size(),
                " inputs");
    TORCH_CHECK(!inputs[0].empty() && always_equal(inputs[1], Shape{inputs[0].front()}),
                "expected a number for each channel of ", ir::to_string(inputs[0]), ", got ",
                ir::to_string(inputs[1]));
    return inputs.front();
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes& inputs) const override {
    TORCH_CHECK(ir::same_parts(inputs[0].front(), inputs[1].front()), "expected channels that a ",
                "supernet cuts alike, got ", inputs[0].front().to_string(), " and ",
                inputs[1].front().to_string(),
                ": join the same parts in the same order, or explore by trials (retia explore)");
    return function_layer([dimensions = inputs.front().size()](at::TensorList values) {
      std::vector<int64_t> sizes = values[1].sizes().vec();
      sizes.resize(dimensions + 1, 1);
      return values[0] * values[1].view(sizes);
    });
  }
};

}  // namespace

ir::Operation ops::scale() { return operation<Scale>(ops::NoOptions{}); }

}  // namespace retia
