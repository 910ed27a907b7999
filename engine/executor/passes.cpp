#include "retia/engine/executor/passes.h"

#include "retia/engine/executor/passes/conv_norm.h"
#include "retia/engine/executor/passes/mixed_ops.h"
#include "retia/engine/executor/passes/splits.h"
#include "retia/engine/executor/verify.h"
#include "retia/engine/ir/graph.h"

namespace retia {

Executor executor_of(const std::string& name) {
  TORCH_CHECK(name == "reference" || name == "fused",
              "expected the executor reference or fused, got '", name, "'");
  return name == "fused" ? Executor::Fused : Executor::Reference;
}

}  // namespace retia

namespace retia::executor {

std::vector<Pass> standard_passes() {
  return {{"fuse_mixed_ops", fuse_mixed_ops},
          {"fuse_conv_norm", fuse_conv_norm},
          {"share_splits", share_splits}};
}

std::vector<Pass> passes_of(Executor executor) {
  return executor == Executor::Fused ? standard_passes() : std::vector<Pass>();
}

Program run_passes(Program program, const std::vector<Pass>& passes,
                   const std::function<void(const Pass&, const Program&)>& after) {
  for (const Pass& pass : passes) {
    Program rewritten = pass.run(program);
    ir::in_context("after the pass " + pass.name, [&] {
      verify(rewritten);
      verify_kept(program, rewritten);
    });
    program = std::move(rewritten);
    if (after) {
      after(pass, program);
    }
  }
  return program;
}

}  // namespace retia::executor
