#include "retia/trainers/evaluators/table.h"

#include <gmock/gmock.h>

#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/trainers/evaluators.h"

namespace retia {
namespace {

std::string key(const Architecture& architecture) {
  return "|op" + std::to_string(architecture.at("a").chosen.front()) + "|";
}

Trial trial(int64_t choice) { return {.proposal = {.architecture = {{"a", {{choice}}}}}}; }

class TableEvaluatorTest : public testing::Test {
 protected:
  TableEvaluatorTest() {
    write_plainly(options.file,
                  "index,arch,valid,test,ms\n0,|op0|,70.5,71,3\n1,|op1|,80,81.25,\n2,|op2|,,,9\n");
  }
  TemporaryFolder folder;
  TableOptions options = {.file = folder / "table.csv", .metric = "valid", .report = "test"};
};

TEST_F(TableEvaluatorTest, LooksUpTheScoreByTheKeyOfTheSpace) {
  TableEvaluator evaluator(options, key);
  EXPECT_FALSE(evaluator.reads_model());
  const Evaluation found = evaluator.evaluate(trial(1));
  EXPECT_EQ(found.objectives, std::vector<double>{80});
  EXPECT_EQ(found.metrics, (std::map<std::string, double>{{"report", 81.25}}));
}

TEST_F(TableEvaluatorTest, MinimisesFurtherColumns) {
  options.minimised = {"ms"};
  TableEvaluator evaluator(options, key);
  EXPECT_EQ(evaluator.objectives().at(1).name, "ms");
  EXPECT_EQ(evaluator.objectives().at(1).direction, Direction::Minimise);
  EXPECT_EQ(evaluator.evaluate(trial(0)).objectives, (std::vector<double>{70.5, 3}));
  EXPECT_EQ(error_of([&] { evaluator.evaluate(trial(1)); }),
            options.file + " has no ms for '|op1|'");
}

TEST_F(TableEvaluatorTest, MinimisesALossOnlyWhereThatIsStated) {
  options.metric = "ms";
  EXPECT_THAT(error_of([&] { TableEvaluator(options, key); }),
              testing::HasSubstr("'ms' is named like a loss, error or latency"));
  options.direction = StatedDirection::Minimise;
  EXPECT_EQ(TableEvaluator(options, key).objectives().at(0).direction, Direction::Minimise);
  options = {
      .file = options.file,
      .objectives = {{"ms", StatedDirection::Minimise}, {"valid", StatedDirection::Maximise}}};
  EXPECT_EQ(TableEvaluator(options, key).evaluate(trial(0)).objectives,
            (std::vector<double>{3, 70.5}));
  options.minimised = {"test"};
  EXPECT_THAT(error_of([&] { TableEvaluator(options, key); }),
              testing::HasSubstr("remove evaluator.minimised"));
}

TEST_F(TableEvaluatorTest, SaysWhatIsMissing) {
  TableEvaluator evaluator(options, key);
  EXPECT_EQ(error_of([&] { evaluator.evaluate(trial(5)); }),
            options.file + " has no row for '|op5|'");
  EXPECT_EQ(error_of([&] { evaluator.evaluate(trial(2)); }),
            options.file + " has no valid for '|op2|'");
  options.metric = "vlaid";
  EXPECT_EQ(error_of([&] { TableEvaluator(options, key); }),
            options.file + " has no column 'vlaid'; did you mean 'valid'?");
  options.metric = "arch";
  EXPECT_EQ(error_of([&] { TableEvaluator(options, key); }),
            options.file + ", line 2, column 'arch': expected a number, but got '|op0|'");
  EXPECT_THAT(error_of([&] { TableEvaluator({}, key); }),
              testing::HasSubstr("needs a CSV file and the column to optimise"));
}

TEST_F(TableEvaluatorTest, RefusesTwoRowsOfOneArchitecture) {
  write_plainly(options.file, "arch,valid,test\n|op0|,1,2\n|op0|,3,4\n");
  EXPECT_EQ(error_of([&] { TableEvaluator(options, key); }),
            options.file + ", line 3: there is a row for '|op0|' already");
}

TEST_F(TableEvaluatorTest, IsRebuiltFromItsJson) {
  const TableEvaluator evaluator(options, key);
  EvaluatorContext context;
  context.key = key;
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), context);
  EXPECT_EQ(rebuilt->to_json(), evaluator.to_json());
  EXPECT_EQ(rebuilt->evaluate(trial(0)).objectives, std::vector<double>{70.5});
}

}  // namespace
}  // namespace retia
