#include "retia/engine/cost/cost_measure.h"

#include "retia/engine/cost/latency_table.h"

namespace retia {
namespace {

ir::OperationCost latency_from(const std::string& file, const std::string& space) {
  const std::string command =
      c10::str("`retia profile --space ", space, " --table ", file.empty() ? "FILE" : file,
               "` with the --data and --set space.… of this run");
  TORCH_CHECK(!file.empty(), "latency comes from a table: give one, made by ", command);
  const auto table = std::make_shared<const LatencyTable>(LatencyTable::read(file));
  return [=](const ir::Operation& operation, const std::vector<Shape>& inputs) {
    const std::optional<Latency> latency = table->find(operation, inputs);
    if (!latency) {
      std::string shapes;
      for (const Shape& input : inputs) {
        shapes += (shapes.empty() ? "" : ", ") + ir::to_string(input);
      }
      TORCH_CHECK(false, file, " has no latency of ", operation.type(), " ",
                  operation.parameters().dump(), " on ", shapes, ": measure it by ", command);
    }
    return latency->milliseconds;
  };
}

}  // namespace

ir::OperationCost operation_cost(CostMeasure measure, const std::string& table,
                                 const std::string& space) {
  switch (measure) {
    case CostMeasure::MultiplyAdds:
      return ir::multiply_adds_of;
    case CostMeasure::Parameters:
      return ir::parameters_of;
    case CostMeasure::Latency:
      return latency_from(table, space);
    case CostMeasure::None:
      break;
  }
  TORCH_CHECK(false, "no cost is measured");
}

}  // namespace retia
