#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/pool.h"
#include "retia/strategies/strategies.h"

namespace retia {

/// Layer choices one after the other; `sizes`: their candidates.
inline ir::Graph chain_of(const std::vector<int64_t>& sizes) {
  Builder b("chain");
  Wire x = b.input("x", {2, 4, 4});
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::vector<ir::CandidateWriter> candidates;
    for (int64_t k = 0; k < sizes[i]; ++k) {
      candidates.push_back({c10::str("op", k), ops::relu()});
    }
    x = b.layer_choice(c10::str("c", i), candidates, {x});
  }
  b.output("y", x);
  return b.finish();
}

/// How many decisions are for the last candidate of three: one architecture has most.
inline double planted(const Architecture& architecture) {
  double sum = 0;
  for (const auto& [label, decision] : architecture) {
    sum += decision.chosen.front() == 2 ? 1 : 0;
  }
  return sum;
}

using Score = std::function<Outcome(const Proposal&)>;

inline Outcome success(std::vector<double> objectives) {
  return {TrialStatus::Succeeded, std::move(objectives)};
}

inline Outcome planted_outcome(const Proposal& proposal) {
  return success({planted(proposal.architecture)});
}

/// What a strategy proposed before it was exhausted, or `most` times; `concurrency` trials run at
/// once, and outcomes are told in the order of ids.
inline std::vector<Proposal> search(Strategy& strategy, const Score& score, size_t most = 100000,
                                    size_t concurrency = 1) {
  std::vector<Proposal> tried;
  std::deque<Proposal> running;
  const auto tell = [&] {
    strategy.tell(running.front(), score(running.front()));
    running.pop_front();
  };
  while (tried.size() < most) {
    const Strategy::Answer answer = strategy.ask();
    if (const auto* proposal = std::get_if<Proposal>(&answer)) {
      EXPECT_EQ(proposal->id, static_cast<int64_t>(tried.size()));
      tried.push_back(*proposal);
      running.push_back(*proposal);
      if (running.size() == concurrency) {
        tell();
      }
    } else if (std::holds_alternative<Wait>(answer)) {
      if (running.empty()) {
        ADD_FAILURE() << "waits for an outcome, but was told all";
        break;
      }
      tell();
    } else {
      break;
    }
  }
  while (!running.empty()) {
    tell();
  }
  return tried;
}

inline size_t n_distinct(const std::vector<Proposal>& proposals) {
  std::set<Architecture> distinct;
  for (const Proposal& proposal : proposals) {
    distinct.insert(proposal.architecture);
  }
  return distinct.size();
}

}  // namespace retia
