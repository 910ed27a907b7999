#include "retia/engine/cost/cost_measure.h"

#include <gmock/gmock.h>

#include "retia/engine/cost/latency_table.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<Shape> kSmallImage = {{8, 4, 4}}, kLargeImage = {{8, 16, 16}};

TEST(CostMeasure, CountsMultiplyAddsAndParameters) {
  const ir::Operation conv = ops::conv2d({.out = 2, .bias = true});
  EXPECT_EQ(operation_cost(CostMeasure::MultiplyAdds, "", "tiny")(conv, kSmallImage),
            16 * 2 * 8 * 9);
  EXPECT_EQ(operation_cost(CostMeasure::Parameters, "", "tiny")(conv, kSmallImage), 2 * 8 * 9 + 2);
  EXPECT_EQ(operation_cost(CostMeasure::Parameters, "", "tiny")(conv, kLargeImage), 2 * 8 * 9 + 2);
  EXPECT_THAT(error_of([] { operation_cost(CostMeasure::None, "", "tiny"); }),
              HasSubstr("no cost is measured"));
}

TEST(CostMeasure, IsWrittenByItsName) {
  for (const CostMeasure measure : {CostMeasure::None, CostMeasure::MultiplyAdds,
                                    CostMeasure::Parameters, CostMeasure::Latency}) {
    EXPECT_EQ(Json(measure).get<CostMeasure>(), measure);
  }
  EXPECT_EQ(Json(CostMeasure::MultiplyAdds), "multiply_adds");
}

TEST(CostMeasure, NamesTheOperationThatItLacksAndTheCommandThatMeasuresIt) {
  const TemporaryFolder folder;
  const std::string file = folder / "latency.json";
  LatencyTable table({});
  table.set(ops::conv2d({}), kSmallImage, {0.5, 10, ""});
  table.write(file);
  const ir::OperationCost cost = operation_cost(CostMeasure::Latency, file, "tiny");
  EXPECT_EQ(cost(ops::conv2d({}), kSmallImage), 0.5);
  EXPECT_THAT(
      error_of([&] { cost(ops::batch_norm(), kLargeImage); }),
      AllOf(HasSubstr(file + " has no latency of batch_norm {"),
            HasSubstr("} on [8, 16, 16]: measure it by `retia profile --space tiny --table " +
                      file + "`")));
  EXPECT_THAT(error_of([&] { operation_cost(CostMeasure::Latency, "", "tiny"); }),
              HasSubstr("latency comes from a table"));
}

}  // namespace
}  // namespace retia
