#include "retia/models/ops/loose_ends.h"

#include <ATen/ops/cat.h>

#include "retia/engine/operations/primitive.h"
#include "retia/engine/symbolic/channels.h"

namespace retia {
namespace {

class LooseEnds final : public Primitive<LooseEndsOptions> {
 public:
  LooseEnds() : Primitive("loose_ends") {}

 private:
  Shape infer(const LooseEndsOptions& o, const Shapes& inputs) const override {
    TORCH_CHECK(!inputs.empty() && inputs.size() == o.loose.size(), "expected ", o.loose.size(),
                " inputs, one for each flag in 'loose', got ", inputs.size());
    Shape result = inputs.front();
    TORCH_CHECK(!result.empty(), "expected inputs with at least one dimension, got []");
    Dim channels = 0;
    for (size_t k = 0; k < inputs.size(); ++k) {
      const auto rest = [](const Shape& shape) { return Shape(shape.begin() + 1, shape.end()); };
      TORCH_CHECK(!inputs[k].empty() && always_equal(rest(inputs[k]), rest(inputs.front())),
                  "expected inputs that agree but for the first dimension, got ",
                  ir::to_string(inputs.front()), " and ", ir::to_string(inputs[k]));
      channels = ir::joined(channels, condition(o.loose[k], inputs[k][0], 0));
    }
    result[0] = channels;
    return result;
  }

  std::shared_ptr<Layer> make(const LooseEndsOptions& o, const Shapes&) const override {
    std::vector<size_t> ends;
    for (size_t k = 0; k < o.loose.size(); ++k) {
      TORCH_CHECK(o.loose[k].decided(),
                  "which ends are loose is a choice: a supernet shares weights between candidates "
                  "of one shape; merge all nodes, or explore by trials (retia explore)");
      if (o.loose[k].value()) {
        ends.push_back(k);
      }
    }
    TORCH_CHECK(!ends.empty(), "expected at least one loose end");
    return function_layer([ends](at::TensorList inputs) {
      std::vector<at::Tensor> joined;
      for (const size_t k : ends) {
        joined.push_back(inputs[k]);
      }
      return at::cat(joined, 1);
    });
  }
};

}  // namespace

ir::Operation ops::loose_ends(const LooseEndsOptions& options) {
  return operation<LooseEnds>(options);
}

}  // namespace retia
