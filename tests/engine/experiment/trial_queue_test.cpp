#include "retia/engine/experiment/trial_queue.h"

#include <gmock/gmock.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Trial waiting(int64_t id, std::vector<double> floors = {}) {
  return {.proposal = {.id = id}, .floors = std::move(floors)};
}

/// The ids of the next job; none: no job starts.
std::vector<int64_t> next(TrialQueue& queue) {
  std::vector<int64_t> ids;
  if (const std::optional<Job> job = queue.next()) {
    for (const Trial& one : job->trials) {
      ids.push_back(one.proposal.id);
    }
  }
  return ids;
}

TEST(TrialQueue, StartsWholeJobsWhileThereIsRoom) {
  TrialQueue queue(2, 2);
  EXPECT_TRUE(queue.is_empty());
  queue.add(waiting(0));
  EXPECT_FALSE(queue.has_waiting());
  EXPECT_THAT(next(queue), IsEmpty()) << "half a job";
  queue.add(waiting(1));
  EXPECT_TRUE(queue.has_waiting());
  EXPECT_THAT(next(queue), ElementsAre(0, 1));
  EXPECT_FALSE(queue.has_waiting());
  for (int64_t id = 2; id < 6; ++id) {
    queue.add(waiting(id));
  }
  EXPECT_THAT(next(queue), ElementsAre(2, 3));
  EXPECT_THAT(next(queue), IsEmpty()) << "two run";
  queue.end(waiting(1));
  EXPECT_THAT(next(queue), IsEmpty()) << "trial 0 still runs";
  queue.end(waiting(0));
  EXPECT_THAT(next(queue), ElementsAre(4, 5));
  for (int64_t id = 2; id < 6; ++id) {
    EXPECT_FALSE(queue.is_empty());
    queue.end(waiting(id));
  }
  EXPECT_TRUE(queue.is_empty());
}

TEST(TrialQueue, StartsASmallJobWhenItIsClosed) {
  TrialQueue queue(1, 3);
  queue.close();
  EXPECT_TRUE(queue.is_empty()) << "there is nothing to close";
  queue.add(waiting(0));
  queue.close();
  EXPECT_THAT(next(queue), ElementsAre(0));
  queue.add(waiting(1));
  EXPECT_FALSE(queue.is_empty());
}

TEST(TrialQueue, GivesTheTrialsOfAJobTheThresholdsOfTheFirst) {
  TrialQueue queue(1, 2);
  queue.add(waiting(0, {0.5}));
  queue.add(waiting(1, {0.7}));
  EXPECT_THAT(queue.next()->trials.at(1).floors, ElementsAre(0.5));
}

TEST(TrialQueue, KeepsWholeJobsInTheirOrder) {
  TrialQueue queue(1, 1);
  queue.add(Job{.trials = {waiting(3), waiting(4)}, .recovered = true});
  queue.add(waiting(7));
  const std::optional<Job> first = queue.next();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->recovered);
  EXPECT_EQ(first->trials.size(), 2u);
  queue.end(waiting(3));
  queue.end(waiting(4));
  EXPECT_THAT(next(queue), ElementsAre(7));
}

TEST(TrialQueue, RefusesTheEndOfATrialThatDoesNotRun) {
  TrialQueue queue(1, 1);
  queue.add(waiting(0));
  EXPECT_EQ(error_of([&] { queue.end(waiting(0)); }),
            "the runner gave a result of trial 0, which does not run");
}

}  // namespace
}  // namespace retia
