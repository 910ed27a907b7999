#include "retia/strategies/fed.h"

#include <gmock/gmock.h>

#include "retia/engine/experiment/experiment.h"
#include "retia/strategies/listed.h"
#include "retia/strategies/tpe.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/strategies/searches.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::Pair;

Architecture four(int64_t a, int64_t b, int64_t c, int64_t d) {
  return {{"c0", {{a}}}, {"c1", {{b}}}, {"c2", {{c}}}, {"c3", {{d}}}};
}

/// Proposes nothing and remembers what it learns.
class Listening final : public Strategy, public Learner {
 public:
  Answer ask() override { return Exhausted{}; }
  void tell(const Proposal&, const Outcome&) override { ADD_FAILURE(); }
  void learn(const Architecture& architecture, const Outcome& outcome) override {
    heard.emplace_back(architecture, outcome.objectives);
  }
  Json state() const override { return {}; }
  void load_state(const Json&) override {}

  std::vector<std::pair<Architecture, std::vector<double>>> heard;
};

TEST(FedStrategy, TellsALearnerWhatIsKnownAndWhatWasTriedFirst) {
  auto listening = std::make_unique<Listening>();
  const Listening& listener = *listening;
  FedStrategy fed(std::move(listening), {four(0, 0, 0, 0)}, {{four(2, 2, 2, 2), success({4})}});
  EXPECT_THAT(listener.heard, ElementsAre(Pair(four(2, 2, 2, 2), ElementsAre(4))));
  EXPECT_EQ(search(fed, planted_outcome).size(), 1u);
  EXPECT_THAT(listener.heard, ElementsAre(testing::_, Pair(four(0, 0, 0, 0), ElementsAre(0))));
}

TEST(FedStrategy, CountsTheProposalsOfTheOtherStrategyFromItsOwnZero) {
  /// Proposes a trial and one that continues it.
  class Continuing final : public Strategy {
   public:
    Answer ask() override {
      const int64_t id = next_++;
      return id > 1 ? Answer(Exhausted{})
                    : Answer(Proposal{.id = id,
                                      .architecture = four(1, 1, 1, 1),
                                      .epochs = id + 1,
                                      .continues = id - 1});
    }
    void tell(const Proposal& proposal, const Outcome&) override {
      EXPECT_EQ(proposal.id, n_told_++);
      EXPECT_EQ(proposal.continues, proposal.id - 1);
    }
    Json state() const override { return {}; }
    void load_state(const Json&) override {}

   private:
    int64_t next_ = 0, n_told_ = 0;
  };
  FedStrategy fed(std::make_unique<Continuing>(), {four(0, 0, 0, 0), four(0, 0, 0, 1)}, {});
  const std::vector<Proposal> tried = search(fed, planted_outcome);
  ASSERT_EQ(tried.size(), 4u);
  EXPECT_EQ(tried[1].architecture, four(0, 0, 0, 1));
  EXPECT_EQ(tried[2].continues, -1);
  EXPECT_EQ(tried[3].id, 3);
  EXPECT_EQ(tried[3].continues, 2);
}

TEST(FedStrategy, GoesOnFromItsState) {
  const auto make = [] {
    return FedStrategy(std::make_unique<ListedStrategy>(std::vector{four(1, 0, 0, 0)}),
                       {four(0, 0, 0, 0), four(0, 0, 0, 1)}, {});
  };
  FedStrategy first = make();
  first.ask();
  FedStrategy second = make();
  second.load_state(first.state());
  EXPECT_EQ(std::get<Proposal>(second.ask()).architecture, four(0, 0, 0, 1));
  EXPECT_EQ(std::get<Proposal>(second.ask()).id, 2);
  EXPECT_TRUE(std::holds_alternative<Exhausted>(second.ask()));
}

// Of 81 architectures the best is known, and some neighbours: the density of the good is theirs.
TEST(FedStrategy, SparesTpeItsStart) {
  std::vector<KnownTrial> known;
  for (int64_t i = 0; i < 27; ++i) {
    const Architecture architecture = four(i % 3, i / 3 % 3, i / 9, 2);
    known.push_back({architecture, success({planted(architecture)})});
  }
  const auto first_five = [&](const std::vector<KnownTrial>& told) {
    FedStrategy fed(std::make_unique<TpeStrategy>(chain_of({3, 3, 3, 3}), TpeOptions{}, 3), {},
                    told);
    double sum = 0;
    for (const Proposal& proposal : search(fed, planted_outcome, 5)) {
      sum += planted(proposal.architecture);
    }
    return sum;
  };
  EXPECT_GT(first_five(known), first_five({}) + 4);
}

}  // namespace
}  // namespace retia
