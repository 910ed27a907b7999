#include <retia/program.h>

#include <limits>

using namespace retia;

struct ClimbOptions {
  double mutation = 0.3;  ///< probability with which a decision of the best is drawn anew
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ClimbOptions, mutation)

/// Hill climbing: proposes what is near the best architecture so far.
class ClimbStrategy final : public Strategy {
 public:
  ClimbStrategy(const Domain& domain, const ClimbOptions& options, uint64_t seed)
      : proposals_(domain, {}), options_(options), random_(seed) {}

  Answer ask() override {
    const Domain& domain = proposals_.domain();
    return answer(proposals_.next(random_, [&] {
      return best_reward_ == kNone ? domain.sample(random_)
                                   : domain.mutated(best_, options_.mutation, random_);
    }));
  }

  void tell(const Proposal& proposal, const Outcome& outcome) override {
    const std::optional<double> reward = reward_of(outcome, OnFailure::Ignore);
    if (reward && *reward > best_reward_) {
      best_ = proposal.architecture;
      best_reward_ = *reward;
    }
  }

  Json state() const override {
    return {{"proposals", proposals_.state()},
            {"random", random_.state()},
            {"best", proposals_.domain().to_json(best_)},
            {"best_reward", reward_to_json(best_reward_)}};
  }

  void load_state(const Json& state) override {
    proposals_.load_state(state.at("proposals"));
    random_.set_state(state.at("random"));
    best_ = proposals_.domain().from_json(state.at("best"));
    best_reward_ = reward_from_json(state.at("best_reward"));
  }

 private:
  static constexpr double kNone = -std::numeric_limits<double>::infinity();

  Proposals proposals_;
  ClimbOptions options_;
  Random random_;
  Architecture best_;
  double best_reward_ = kNone;
};

std::unique_ptr<Strategy> make_climb(const ClimbOptions& options, const Domain& domain,
                                     uint64_t seed) {
  return std::make_unique<ClimbStrategy>(domain, options, seed);
}

int main(int argc, char** argv) {
  Program program;
  program.strategies.add("climb", make_climb);
  return program.run(argc, argv);
}
