#include "retia/engine/mutables/mutable_module.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/applied_mutator.h"
#include "retia/tests/engine/mutables/scale.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(MutableModule, KnowsItsMutatorWhileThereIsOne) {
  Plain model(InputChoiceModuleOptions{.n_candidates = 3});
  {
    AppliedMutator mutator(*model);
    EXPECT_EQ(&model->op->mutator(), &mutator);
    EXPECT_EQ(&model->pick->mutator(), &mutator);
    EXPECT_EQ(model->op->info().label, "op");
  }
  EXPECT_THAT(error_of([&] { model->op->mutator(); }), HasSubstr("ran without a mutator"));
}

TEST(MutableModule, CannotBeClonedAsAPartEither) {
  Plain model(InputChoiceModuleOptions{.n_candidates = 3});
  AppliedMutator mutator(*model);
  EXPECT_THAT(error_of([&] { model->pick->clone(); }),
              HasSubstr("input choice 'pick' cannot be cloned"));
}

}  // namespace
}  // namespace retia
