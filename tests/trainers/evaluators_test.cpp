#include "retia/trainers/evaluators.h"

#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

TEST(EvaluatorTable, NamesTheNearestEvaluatorAndOption) {
  const EvaluatorTable table = standard_evaluators();
  EXPECT_THAT(table.names(), testing::IsSupersetOf({"classification", "table"}));
  EXPECT_EQ(error_of([&] { table.make("clasification", Json::object(), {}); }),
            "unknown evaluator 'clasification'; did you mean 'classification'?");
  EXPECT_EQ(error_of([&] {
              table.make("classification", {{"epoch", 3}}, {});
            }),
            "evaluator 'classification': unknown key 'epoch'; did you mean 'epochs'?");
  EXPECT_EQ(error_of([&] { evaluator_from_json(table, Json::object(), {}); }),
            "evaluator: expected a \"name\"" + suggestion("", table.names()));
}

}  // namespace
}  // namespace retia
