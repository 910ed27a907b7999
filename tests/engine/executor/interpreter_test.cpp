#include "retia/engine/executor/interpreter.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <c10/util/intrusive_ptr.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "retia/engine/executor/make_program.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/executor/fake_instruction.h"
#include "retia/tests/engine/hook.h"
#include "retia/tests/error_of.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Interpreter, WantsOneTensorPerInput) {
  Builder b("net");
  b.output("y", b.add("relu", ops::relu(), {b.input("x", {2})}));
  Interpreter interpreter(make_program(b.finish(), {{2}}, "", [](const auto&...) {}));
  EXPECT_THAT(error_of([&] { interpreter.run({}); }), HasSubstr("expected 1 inputs, got 0"));
}

TEST(Interpreter, DropsAValueAfterItsLastUse) {
  Builder b("net");
  const Wire x = b.input("x", {2});
  const Wire first = b.add("first", hook(2), {x});
  const Wire second = b.add("second", hook(3), {first});
  const Wire third = b.add("third", hook(5), {second});
  const Wire sum = b.add("sum", ops::add(), {first, third});
  b.output("y", b.add("last", hook(1), {sum}));
  Network network(b.finish(), 1);
  using Weak = c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;
  std::optional<Weak> made_by_first;
  std::vector<bool> gone;
  const auto look = [&](const at::Tensor&) { gone.push_back(made_by_first->expired()); };
  hook_at(network, "second").seen = [&](const at::Tensor& value) {
    made_by_first.emplace(value.getIntrusivePtr());
  };
  hook_at(network, "third").seen = look;
  hook_at(network, "last").seen = look;
  const at::NoGradGuard no_grad;
  EXPECT_EQ(network->forward(at::ones({1, 2}))[0][0].item<float>(), 32);
  EXPECT_THAT(gone, ElementsAre(false, true));
}

TEST(Interpreter, RunsRightThroughMoreDecisionsThanItKeepsSchedulesFor) {
  Builder b("net");
  const Wire x = b.input("x", {1});
  std::vector<Wire> powers;
  std::vector<std::string> names;
  for (int64_t i = 0; i < 9; ++i) {
    names.push_back(std::string("p").append(std::to_string(i)));
    powers.push_back(b.add(names.back(), hook(int64_t{1} << i), {x}));
  }
  b.output("y", b.input_choice("pick", powers, {.n_chosen = std::nullopt}));
  Network network(b.finish(), 1);
  AppliedMutator mutator(*network);
  for (int round = 0; round < 2; ++round) {
    for (int64_t bits = 0; bits < 512; ++bits) {
      Architecture architecture;
      std::vector<int64_t>& chosen = architecture["pick"].chosen;
      for (int64_t i = 0; i < 9; ++i) {
        if ((bits >> i & 1) != 0) {
          chosen.push_back(i);
        }
      }
      mutator.apply(architecture);
      ASSERT_EQ(network->forward(at::ones({1, 1})).item<float>(), static_cast<float>(bits));
    }
  }
}

/// v0 → a → v1 → b → v2 → c → v3, where ab stands for a and b.
class Fallback : public testing::Test {
 protected:
  Fallback() {
    Program program = chain_of_three();
    a_ = state(program.instructions[0]);
    b_ = state(program.instructions[1]);
    const auto fused =
        fake("ab", {2, {0}, {2}, {program.instructions[0], program.instructions[1]}});
    ab_ = fused->state();
    interpreter_.emplace(program);
    interpreter_->set_passes({{"fuse", [fused](Program p) {
                                 p.put(fused);
                                 return p;
                               }}});
  }
  static std::shared_ptr<FakeState> state(const InstructionPtr& instruction) {
    return dynamic_cast<const FakeInstruction&>(*instruction).state();
  }
  /// Runs the program. Returns its output, and how often ab, a and b have run since the last call.
  std::vector<int64_t> run() {
    const auto out = interpreter_->run({at::ones({1})})[0].item<int64_t>();
    std::vector<int64_t> seen = {out};
    for (const auto& state : {ab_, a_, b_}) {
      seen.push_back(std::exchange(state->n_runs, 0));
    }
    return seen;
  }

  std::optional<Interpreter> interpreter_;
  std::shared_ptr<FakeState> ab_, a_, b_;
};

TEST_F(Fallback, RunsTheFusedInstructionWhereItApplies) {
  EXPECT_THAT(run(), ElementsAre(3, 1, 0, 0));
  interpreter_->set_passes({});
  EXPECT_THAT(run(), ElementsAre(4, 0, 1, 1));
}

TEST_F(Fallback, RunsWhatWasReplacedWhereTheDecisionsOrModesDoNotFit) {
  ab_->applies = false;
  EXPECT_THAT(run(), ElementsAre(4, 0, 1, 1));
  ab_->applies = true;
  EXPECT_THAT(run(), ElementsAre(3, 1, 0, 0));
}

TEST_F(Fallback, RunsWhatWasReplacedWhereTheTensorsDoNotFit) {
  ab_->applies_to = false;
  EXPECT_THAT(run(), ElementsAre(4, 0, 1, 1));
  ab_->applies_to = true;
  EXPECT_THAT(run(), ElementsAre(3, 1, 0, 0));
}

TEST(Interpreter, RunsWhatIsReplacedTwiceOverWhereNeitherApplies) {
  Program program = chain_of_three();
  const std::vector<InstructionPtr> old = program.instructions;
  const auto ab = fake("ab", {2, {0}, {2}, {old[0], old[1]}});
  const auto abc = fake("abc", {3, {0}, {3}, {ab, old[2]}});
  Interpreter interpreter(program);
  interpreter.set_passes({{"fuse", [&](Program p) {
                             p.put(ab);
                             p.put(abc);
                             return p;
                           }}});
  const auto run = [&] { return interpreter.run({at::ones({1})})[0].item<int64_t>(); };
  EXPECT_EQ(run(), 2) << "abc";
  abc->state()->applies_to = false;
  EXPECT_EQ(run(), 3) << "ab, c";
  ab->state()->applies = false;
  EXPECT_EQ(run(), 4) << "a, b, c";
  abc->state()->applies = false;
  EXPECT_EQ(run(), 4) << "a, b, c";
  ab->state()->applies = true;
  EXPECT_EQ(run(), 3) << "ab, c";
}

}  // namespace
}  // namespace retia::executor
