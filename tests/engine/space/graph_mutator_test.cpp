#include "retia/engine/space/graph_mutator.h"

#include <gmock/gmock.h>

#include "retia/engine/ir/chain.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/mutated_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Decider deciding(const Architecture& architecture) {
  return [architecture](const Mutable& choice) { return architecture.at(choice.label); };
}

/// Runs what it is given.
class Inline final : public GraphMutator {
 public:
  explicit Inline(std::function<void(Graph&, Sampler&)> body)
      : GraphMutator("m"), body_(std::move(body)) {}
  void mutate(Graph& graph, Sampler& sampler) const override { body_(graph, sampler); }

 private:
  std::function<void(Graph&, Sampler&)> body_;
};

Mutation ask(const std::function<void(Sampler&)>& question) {
  return Inline([&](Graph&, Sampler& sampler) { question(sampler); }).dry_run(two_placeholders());
}

TEST(GraphMutator, ChangesAForkAndRecordsHow) {
  const Graph base = two_placeholders();
  const Graph before = base;
  const Mutation mutation = Operations().apply(base, deciding({{"op/0", {{1}}}, {"op/1", {{2}}}}));
  EXPECT_EQ(base, before);
  EXPECT_EQ(mutation.mutator, "op");
  EXPECT_EQ(mutation.from, base);
  EXPECT_EQ(std::get<Operation>(mutation.to.node(base.named("first")).body), ops::relu());
  EXPECT_EQ(std::get<Operation>(mutation.to.node(base.named("second")).body), ops::tanh());
  ASSERT_EQ(mutation.choices.size(), 2u);
  EXPECT_EQ(mutation.choices[0].choice.label, "op/0");
  EXPECT_EQ(mutation.choices[0].choice.kind, MutableKind::LayerChoice);
  EXPECT_THAT(mutation.choices[0].choice.names, ElementsAre("linear", "relu", "tanh"));
  EXPECT_EQ(mutation.choices[1].decision, (Decision{{2}}));
}

TEST(GraphMutator, DryRunGivesTheCandidatesOfEachChoice) {
  const Mutation mutation = Depths().dry_run(two_placeholders());
  std::vector<std::string> labels;
  for (const MadeChoice& made : mutation.choices) {
    labels.push_back(made.choice.label);
    EXPECT_EQ(made.decision, (Decision{{0}}));
  }
  EXPECT_THAT(labels, ElementsAre("depth/0", "depth/1", "depth/2", "depth/3"));
  EXPECT_THAT(mutation.choices[0].choice.names, ElementsAre("1", "2"));
  EXPECT_THAT(mutation.choices[1].choice.names, ElementsAre("true", "false"));
  EXPECT_EQ(mutation.choices[0].choice.kind, MutableKind::ValueChoice);
}

TEST(GraphMutator, AppliesInOrderEachToWhatTheLastMade) {
  const auto insert = std::make_shared<Inline>([](Graph& graph, Sampler&) {
    graph.insert_after("more", ops::silu(), {graph.of_type("relu").front()});
  });
  const std::vector<Mutation> history =
      apply(two_placeholders(), {std::make_shared<Operations>(), insert},
            deciding({{"op/0", {{1}}}, {"op/1", {{0}}}}));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[1].from, history[0].to);
  EXPECT_EQ(history[1].to.of_type("silu").size(), 1u);
}

TEST(GraphMutator, RefusesTwoOfOneName) {
  EXPECT_THAT(error_of([] {
                apply(two_placeholders(),
                      {std::make_shared<Operations>("a"), std::make_shared<Operations>("a")},
                      first_candidates);
              }),
              HasSubstr("two graph mutators are named 'a'"));
}

TEST(GraphMutator, RefusesInlineChoicesBesideMutators) {
  EXPECT_THAT(error_of([] {
                apply(every_choice_space(), {std::make_shared<Operations>()}, first_candidates);
              }),
              HasSubstr("graph 'every_choice' has the inline layer choice 'first' and is given "
                        "graph mutators: write its choices in one of the two ways"));
}

TEST(GraphMutator, SaysWhichOneFailed) {
  const Inline bad([](Graph& graph, Sampler&) { graph.named("third"); });
  EXPECT_THAT(error_of([&] { bad.dry_run(two_placeholders()); }),
              testing::StartsWith("graph mutator 'm': graph 'blocks' has no node 'third'"));
  EXPECT_THAT(error_of([] { ask([](Sampler& s) { s.choice(std::vector<int64_t>{}); }); }),
              HasSubstr("the choice 'm/0' has no candidates"));
  EXPECT_THAT(error_of([] {
                Operations().apply(two_placeholders(), deciding({{"op/0", {{7}}}}));
              }),
              HasSubstr("layer choice 'op/0': index 7 is outside its 3 candidates"));
}

TEST(Sampler, NamesOperationsByWhatTellsThemApart) {
  const Mutation mutation = ask([](Sampler& sampler) {
    sampler.choice(std::vector<Operation>{ops::conv2d({.out = 8, .kernel = 3}),
                                          ops::conv2d({.out = 8, .kernel = 5, .stride = 2}),
                                          ops::relu()});
  });
  EXPECT_THAT(mutation.choices.front().choice.names,
              ElementsAre("conv2d(kernel=3, stride=1)", "conv2d(kernel=5, stride=2)", "relu"));
}

TEST(Sampler, TakesValuesTextsAndNamedCandidates) {
  const Mutation mutation = ask([](Sampler& sampler) {
    EXPECT_EQ(sampler.choice({0.25, 0.5}), 0.25);
    EXPECT_EQ(sampler.choice(std::vector<std::string>{"conv", "pool"}), "conv");
    EXPECT_EQ(sampler.choice(std::vector<Json>{3, "x"}), Json(3));
    const Cell cell =
        write_cell("c", {4}, [](Builder& b, Wire x) { return b.add("relu", ops::relu(), {x}); });
    EXPECT_EQ(
        sampler.choice("body", std::vector<Candidate>{{"cell", cell}, {"op", ops::tanh()}}).name,
        "cell");
  });
  std::vector<std::string> labels;
  for (const MadeChoice& made : mutation.choices) {
    labels.push_back(made.choice.label + "=" + made.choice.names.back());
  }
  EXPECT_THAT(labels, ElementsAre("m/0=0.5", "m/1=pool", "m/2=x", "m/body=op"));
}

TEST(Sampler, MakesOneDecisionOfOneName) {
  const Mutation mutation = ask([](Sampler& sampler) {
    sampler.choice("width", std::vector<int64_t>{8, 16});
    sampler.choice("width", std::vector<int64_t>{8, 16});
  });
  EXPECT_EQ(mutation.choices.size(), 1u);
  EXPECT_THAT(error_of([] {
                ask([](Sampler& sampler) {
                  sampler.choice("width", std::vector<int64_t>{8, 16});
                  sampler.choice("width", std::vector<int64_t>{8});
                });
              }),
              HasSubstr("label 'm/width' has candidates [8, 16] in one place and [8] in another"));
}

TEST(InlineMutator, MakesOfInlineChoicesWhatFreezeDoes) {
  const Graph space = every_choice_space();
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const Architecture architecture = random_architecture_of(mutables(space), random);
    const std::vector<Mutation> history = apply(space, {}, deciding(architecture));
    ASSERT_EQ(history.size(), 1u);
    EXPECT_EQ(history.front().to, freeze(space, architecture));
    EXPECT_EQ(history.front().choices.size(), mutables(space).size());
  }
  EXPECT_EQ(space, every_choice_space());
}

TEST(Chain, ReadsWhatStandsBeforeIt) {
  Graph graph = two_placeholders();
  graph.update_operation(graph.named("first"),
                         chain("two", {ops::linear({.out = 3}), ops::linear({.out = 4})}));
  EXPECT_EQ(to_string(infer(graph).at(graph.named("first"))), "[4]");
  const Cell& cell = std::get<Cell>(graph.node(graph.named("first")).body);
  EXPECT_EQ(cell.graph().of_type("linear").size(), 2u);
  EXPECT_EQ(cell.graph().nodes().back().name, "layer1");
}

TEST(GraphMutator, LeavesGraphsThatReadBackEqual) {
  const OperationTable operations = standard_operations();
  const Mutation mutation = Depths().dry_run(two_placeholders());
  for (const Graph& graph : {mutation.from, mutation.to}) {
    EXPECT_EQ(graph_from_json(Json::parse(to_json(graph).dump()), operations), graph);
  }
}

}  // namespace
}  // namespace retia::ir
