#include "retia/engine/executor/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/executor/fake_instruction.h"
#include "retia/tests/error_of.h"

namespace retia::executor {
namespace {

using testing::HasSubstr;

constexpr const char* kNoError = "(no error)";

std::string error_in(const Program& program) {
  return error_of([&] { verify(program); });
}

TEST(Verify, AcceptsAProgramAndOneWithReplacedInstructions) {
  Program program = chain_of_three();
  EXPECT_EQ(error_in(program), kNoError);
  const Program before = program;
  program.put(fake("ab", {2, {0}, {2}, {program.instructions[0], program.instructions[1]}}));
  EXPECT_EQ(error_in(program), kNoError);
  EXPECT_EQ(error_of([&] { verify_kept(before, program); }), kNoError);
}

TEST(Verify, RefusesAValueThatIsReadBeforeItIsWritten) {
  EXPECT_THAT(error_in(fake_program(3, {fake("a", {1, {2}, {1}}), fake("b", {2, {1}, {2}})})),
              HasSubstr("'a' reads 'v2' before it is written"));
}

TEST(Verify, RefusesAValueThatIsWrittenTwice) {
  EXPECT_THAT(error_in(fake_program(3, {fake("a", {1, {0}, {1}}), fake("b", {2, {0}, {1, 2}})})),
              HasSubstr("'b' writes 'v1', which is written already"));
  EXPECT_THAT(error_in(fake_program(2, {fake("a", {1, {0}, {0, 1}})})),
              HasSubstr("'a' writes 'v0', which is written already"));
}

TEST(Verify, RefusesAnOutputThatNothingWrites) {
  EXPECT_THAT(error_in(fake_program(3, {fake("a", {1, {0}, {1}})})),
              HasSubstr("nothing writes 'v2', which the program returns"));
}

TEST(Verify, RefusesInstructionsOutOfOrderOrOfUnknownValues) {
  EXPECT_THAT(error_in(fake_program(3, {fake("a", {2, {0}, {1}}), fake("b", {1, {1}, {2}})})),
              HasSubstr("'b' stands at place 1 behind an instruction at place 2"));
  EXPECT_THAT(error_in(fake_program(2, {fake("a", {1, {0}, {7}})})), HasSubstr("value 7 of 2"));
  EXPECT_THAT(error_in(fake_program(1, {fake("a", {1, {0}, {}})})), HasSubstr("writes nothing"));
}

TEST(Verify, RefusesReplacedInstructionsThatCouldNotRunInstead) {
  const Program program = chain_of_three();
  const std::vector<InstructionPtr>& old = program.instructions;
  Program part = program;
  part.put(fake("ab", {2, {0}, {2}, {old[0]}}));
  part.instructions.erase(part.instructions.begin());  // b, lost
  EXPECT_THAT(error_in(part),
              HasSubstr("'ab' writes 'v2', which none of those that it replaced writes"));
  Program early = program;
  early.put(fake("ba", {2, {0}, {2}, {old[1], old[0]}}));
  EXPECT_THAT(error_in(early),
              HasSubstr("'b', which is replaced, reads 'v1' before it is written"));
  Program twice = program;
  twice.put(fake("ab", {2, {0}, {2}, {old[0], old[1], fake("d", {2, {0}, {2}})}}));
  EXPECT_THAT(error_in(twice), HasSubstr("two of those that 'ab' replaced write 'v2'"));
}

TEST(VerifyKept, RefusesAPassThatLosesOrRepeatsAnInstruction) {
  const Program before = chain_of_three();
  Program lost = before;
  lost.put(fake("ab", {2, {0}, {2}, {fake("other", {1, {0}, {2}})}}));
  lost.instructions.erase(lost.instructions.begin(), lost.instructions.begin() + 2);
  EXPECT_EQ(error_in(lost), kNoError);
  EXPECT_THAT(error_of([&] { verify_kept(before, lost); }), HasSubstr("is there 0 times"));
  Program twice = before;
  twice.put(fake("ab", {2, {0}, {2}, {before.instructions[0], before.instructions[1]}}));
  twice.instructions.insert(twice.instructions.begin(), before.instructions[0]);
  EXPECT_THAT(error_of([&] { verify_kept(before, twice); }), HasSubstr("'a' is there 2 times"));
}

TEST(VerifyKept, RefusesOtherInputsOrOutputs) {
  const Program before = chain_of_three();
  Program after = before;
  after.outputs = {2};
  EXPECT_THAT(error_of([&] { verify_kept(before, after); }), HasSubstr("other inputs or outputs"));
}

}  // namespace
}  // namespace retia::executor
