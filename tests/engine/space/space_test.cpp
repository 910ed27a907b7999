#include "retia/engine/space/space.h"

#include <gmock/gmock.h>

#include <set>

#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/engine/mutated_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Space, OfAGraphIsWhatItsChoicesMake) {
  const Graph graph = every_choice_space();
  const Space space = graph;
  EXPECT_EQ(space.mutables(), mutables(graph));
  EXPECT_EQ(space.supernet(), graph);
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    const Architecture architecture = random_architecture_of(space.mutables(), random);
    EXPECT_EQ(space.canonical(architecture), canonical(graph, architecture));
    EXPECT_EQ(space.model(architecture), freeze(graph, architecture));
    EXPECT_EQ(space.history(architecture).back().to, space.model(architecture));
  }
}

TEST(Space, FindsTheChoicesOfGraphMutators) {
  EXPECT_THAT(labels(operations_space().mutables()), ElementsAre("op/0", "op/1"));
  // At most two depths and four biases, whatever their numbers stand for.
  EXPECT_EQ(labels(depths_space().mutables()).size(), 6u);
}

TEST(Space, KnowsChoicesThatChangeTheirCandidatesByIndices) {
  const Space space = dependent_space();
  EXPECT_THAT(labels(space.mutables()), ElementsAre("d/0", "d/1", "d/only"));
  EXPECT_THAT(space.mutables()[1].names, ElementsAre("0", "1", "2"));
}

TEST(Space, CanonicalDropsWhatIsNotReachedAndCountsOnFromTheBeginning) {
  const Space space = dependent_space();
  EXPECT_EQ(space.canonical({{"d/0", {{0}}}, {"d/1", {{2}}}, {"d/only", {{1}}}}),
            (Architecture{{"d/0", {{0}}}, {"d/1", {{0}}}}));
  EXPECT_EQ(space.canonical({{"d/0", {{1}}}, {"d/1", {{2}}}, {"d/only", {{1}}}}),
            (Architecture{{"d/0", {{1}}}, {"d/1", {{2}}}, {"d/only", {{1}}}}));
}

TEST(Space, NeverChangesItsBase) {
  const Space space = depths_space();
  Random random(5);
  for (int i = 0; i < 50; ++i) {
    space.model(space.canonical(random_architecture_of(space.mutables(), random)));
  }
  EXPECT_EQ(space.graph(), two_placeholders());
}

TEST(Space, ReplaysARecordedHistory) {
  const Space space = depths_space();
  Random random(7);
  std::set<Architecture> forms;
  for (int i = 0; i < 50; ++i) {
    const Architecture form = space.canonical(random_architecture_of(space.mutables(), random));
    forms.insert(form);
    const std::vector<Mutation> history = space.history(form);
    Architecture recorded;
    for (const Mutation& mutation : history) {
      for (const MadeChoice& made : mutation.choices) {
        recorded[made.choice.label] = made.decision;
      }
    }
    EXPECT_EQ(recorded, form);
    EXPECT_EQ(space.history(recorded).back().to, history.back().to);
    EXPECT_EQ(space.canonical(form), form);
    const Graph model = space.model(form);
    EXPECT_EQ(model, space.model(space.completed(form)));
    EXPECT_TRUE(mutables(model).empty());
  }
  EXPECT_GT(forms.size(), 20u);
}

TEST(Space, RefusesArchitecturesInOneLine) {
  const Space space = operations_space();
  EXPECT_THAT(
      error_of([&] {
        space.model({{"op/0", {{0}}}});
      }),
      HasSubstr(
          "the architecture decides nothing for 'op/1', a choice of the space with the options "
          "given; did you mean 'op/0'?"));
  EXPECT_THAT(error_of([&] {
                space.canonical({{"op/0", {{0}}}, {"op/7", {{0}}}});
              }),
              HasSubstr("decides 'op/7', which this space does not have"));
  EXPECT_THAT(error_of([&] {
                space.model({{"op/0", {{0}}}, {"op/1", {{3}}}});
              }),
              HasSubstr("index 3 is outside its 3 candidates"));
}

TEST(Space, RefusesASupernetOfGraphMutators) {
  EXPECT_THAT(error_of([] { operations_space().supernet(); }),
              HasSubstr("space 'blocks' is a base graph with graph mutators"));
}

TEST(Space, RefusesInlineChoicesBesideMutators) {
  EXPECT_THAT(error_of([] { Space(every_choice_space(), {std::make_shared<Operations>()}); }),
              HasSubstr("write its choices in one of the two ways"));
}

/// Replaces every placeholder by one body.
class Replaces final : public GraphMutator {
 public:
  explicit Replaces(Body body) : GraphMutator("r"), body_(std::move(body)) {}
  void mutate(Graph& graph, Sampler&) const override {
    for (const NodeId node : graph.labelled("block")) {
      graph.update_operation(node, body_);
    }
  }

 private:
  Body body_;
};

TEST(Space, HoldsMutatorsToWhatAPlaceholderPromised) {
  const Space wide(two_placeholders(), {std::make_shared<Replaces>(ops::linear({.out = 5}))});
  EXPECT_EQ(error_of([&] { wide.model({}); }),
            "node 'first' makes [5], but its placeholder 'block' promised [4]");
  EXPECT_FALSE(wide.find_model({}));
  const Space kept(two_placeholders(), {std::make_shared<Replaces>(ops::linear({.out = 4}))});
  EXPECT_EQ(kept.find_model({}), kept.model({}));
  EXPECT_EQ(kept.find_canonical({}), Architecture());
}

TEST(Space, RefusesMutatorsThatLeaveSomethingToDecide) {
  const Cell choosing = write_cell("c", {4}, [](Builder& b, Wire x) {
    return b.layer_choice("left", {{"a", ops::relu()}, {"b", ops::tanh()}}, {x});
  });
  const Space undecided(two_placeholders(), {std::make_shared<Replaces>(choosing)});
  EXPECT_THAT(error_of([&] { undecided.model({}); }),
              HasSubstr("graph mutators left the choice 'left' in the graph"));
  class Nothing final : public GraphMutator {
   public:
    Nothing() : GraphMutator("nothing") {}
    void mutate(Graph&, Sampler&) const override {}
  };
  const Space waiting(two_placeholders(), {std::make_shared<Nothing>()});
  EXPECT_THAT(error_of([&] { waiting.model({}); }), HasSubstr("node 'first' is a placeholder"));
}

TEST(Space, RefusesMutatorsWithoutAnEnd) {
  class Endless final : public GraphMutator {
   public:
    Endless() : GraphMutator("endless") {}
    void mutate(Graph&, Sampler& sampler) const override {
      while (sampler.choice(std::vector<int64_t>(1000, 1)) == 1) {
      }
    }
  };
  EXPECT_THAT(error_of([] { Space(two_placeholders(), {std::make_shared<Endless>()}); }),
              HasSubstr("let them end"));
}

}  // namespace
}  // namespace retia::ir
