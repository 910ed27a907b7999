// A fusion in one file: an instruction, the pass that puts it into programs, and the one line that
// adds the pass to the others.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/explain.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/reshape.h"

namespace retia::executor {
namespace {

using testing::HasSubstr;

/// relu(a + b) of floats in training mode; counts its runs.
class AddRelu final : public Instruction {
 public:
  AddRelu(Slot slot, std::shared_ptr<Layer> relu, int64_t& n_runs)
      : Instruction(std::move(slot)), relu_(std::move(relu)), n_runs_(n_runs) {}

  void add_decisions(std::vector<int64_t>& key) const override { key.push_back(applies() ? 1 : 0); }
  bool applies() const override { return relu_->is_training(); }
  bool applies_to(const Frame& frame) const override {
    return frame[inputs()[0]].scalar_type() == at::kFloat;
  }
  void run(Frame& frame) const override {
    ++n_runs_;
    frame[outputs()[0]] = at::relu(frame[inputs()[0]] + frame[inputs()[1]]);
  }
  std::string describe(const Program& program) const override {
    return program.values[outputs()[0]].name + ": add_relu";
  }
  std::string condition() const override { return "training in float32"; }
  Work cost(const Program& program) const override {
    const double size = size_of(program.values[outputs()[0]]);
    return {.multiply_adds = 0, .numbers = 3 * size, .unfused_numbers = 5 * size};
  }

 private:
  std::shared_ptr<Layer> relu_;
  int64_t& n_runs_;
};

/// Puts an AddRelu in the place of each relu that alone reads a sum of two.
Program fuse_add_relu(Program program, int64_t& n_runs) {
  const Uses uses = uses_of(program);
  const std::vector<InstructionPtr> before = program.instructions;
  for (const InstructionPtr& relu : before) {
    const Value read = relu->inputs().front();
    if (decided_type(program, *relu) != "relu" || !uses.writer[read] ||
        uses.readers[read].size() != 1) {
      continue;
    }
    const InstructionPtr& add = before[*uses.writer[read]];
    if (decided_type(program, *add) == "add" && add->inputs().size() == 2) {
      program.put(std::make_shared<AddRelu>(
          Instruction::Slot{relu->place(), add->inputs(), relu->outputs(), {add, relu}},
          as_layer(*relu)->layer(), n_runs));
    }
  }
  return program;
}

class OwnFusion : public testing::Test {
 protected:
  OwnFusion() : network_(nullptr) {
    Builder b("net");
    const Wire x = b.input("x", {3}), y = b.input("y", {3});
    b.output("out", b.add("relu", ops::relu(), {b.add("sum", ops::add(), {x, y})}));
    network_ = Network(b.finish(), 1);
    std::vector<Pass> passes = standard_passes();
    passes.push_back({"fuse_add_relu", [this](Program p) { return fuse_add_relu(p, n_runs_); }});
    network_->set_passes(passes);
  }

  /// Runs the network in `dtype`. Returns the number of runs of the fused instruction.
  int64_t runs_in(at::ScalarType dtype) {
    const at::Tensor x = at::randn({4, 3}, dtype), y = at::randn({4, 3}, dtype);
    const int64_t before = n_runs_;
    EXPECT_TRUE(at::equal(network_->run({x, y})[0], at::relu(x + y)));
    return n_runs_ - before;
  }

  Network network_;
  int64_t n_runs_ = 0;
};

TEST_F(OwnFusion, RunsWhereItAppliesAndElseWhatItReplaced) {
  EXPECT_EQ(runs_in(at::kFloat), 1);
  EXPECT_EQ(runs_in(at::kDouble), 0) << "the tensors";
  EXPECT_EQ(runs_in(at::kFloat), 1);
  network_->eval();
  EXPECT_EQ(runs_in(at::kFloat), 0) << "the mode";
  network_->train();
  EXPECT_EQ(runs_in(at::kFloat), 1);
}

TEST_F(OwnFusion, IsShownWithWhatItReplaced) {
  EXPECT_THAT(explain(network_->program()),
              HasSubstr("relu: add_relu\n" + std::string(31, ' ') + "where training in float32\n" +
                        std::string(31, ' ') + "else sum: add; relu: relu\n"));
}

TEST_F(OwnFusion, IsGoneWithoutItsPass) {
  network_->set_executor(Executor::Fused);
  EXPECT_EQ(runs_in(at::kFloat), 0);
}

}  // namespace
}  // namespace retia::executor
