#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include <cmath>

#include "retia/engine/experiment/experiment.h"
#include "retia/engine/experiment/ranked_runner.h"
#include "retia/engine/space/freeze.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/spos.h"
#include "retia/strategies/random.h"
#include "retia/strategies/spos_evolution.h"
#include "retia/tests/engine/distributed/in_ranks.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"
#include "retia/trainers/one_shot/single_path_trainer.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

Batches share_of(const Batches& whole, Ranks* ranks) {
  BatchOptions options = whole.options();
  if (ranks != nullptr) {
    options.last = LastBatch::Drop;
    options.rank = ranks->rank();
    options.n_ranks = ranks->size();
  }
  return {whole.dataset(), options};
}

/// A search in double on full batches of 12, alone or as one of `ranks`.
SearchSetup search_of(Ranks* ranks, const TrainerOptions& options) {
  const Batches train = stripe_batches(48, 2, 12, at::kDouble);
  const Batches valid = stripe_batches(24, 3, 12, at::kDouble);
  SearchSetup setup{.network = Network(stripes_space(), 1),
                    .train = share_of(train, ranks),
                    .valid = share_of(valid, ranks),
                    .trainer = options,
                    .weight_optimizer = {.lr = 0.1},
                    .scoring = valid,
                    .ranks = ranks};
  setup.network->to(at::kDouble);
  return setup;
}

/// What a search of these two has come to.
struct SearchResult {
  NamedTensors tensors;
  Architecture architecture;
  std::vector<Json> reports;
};

template <class Make>
SearchResult result_of(Ranks* ranks, const TrainerOptions& options, const Make& make) {
  const SearchSetup setup = search_of(ranks, options);
  const auto [mutator, trainer] = make(setup);
  Recorder recorder;
  trainer->fit(recorder, nullptr);
  SearchResult result{weights_of(*setup.network), trainer->export_architecture(), recorder.reports};
  for (const auto& [name, tensor] : weights_of(*mutator)) {
    result.tensors["mutator/" + name] = tensor;
  }
  return result;
}

void expect_near(const SearchResult& a, const SearchResult& b) {
  EXPECT_EQ(a.architecture, b.architecture);
  expect_near_tensors(a.tensors, b.tensors);
  expect_near_reports(a.reports, b.reports);
}

template <class Make>
void expect_ranks_equal_one(const Make& make) {
  const TrainerOptions options = {.epochs = 2, .sync_batch_norm = true, .digest_every = 1};
  const SearchResult one = result_of(nullptr, options, make);
  for (const int64_t n : {2, 3}) {
    EXPECT_THAT(
        in_ranks(n, [&](Ranks& ranks) { expect_near(result_of(&ranks, options, make), one); }),
        Each(""));
  }
}

template <class Trainer, class M>
struct Made {
  std::unique_ptr<M> mutator;
  std::unique_ptr<Trainer> trainer;
};

auto make_darts(int64_t order) {
  return [order](const SearchSetup& setup) {
    auto mutator = std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = 5});
    auto trainer = std::make_unique<BilevelTrainer>(
        setup, *mutator, BilevelOptions{.order = order, .alpha_optimizer = {.lr = 0.05}});
    return Made<BilevelTrainer, DartsMutator>{std::move(mutator), std::move(trainer)};
  };
}

TEST(RankedTraining, OfDartsEqualsThatOfOneRankOnTheSameBatches) {
  expect_ranks_equal_one(make_darts(1));
  expect_ranks_equal_one(make_darts(2));
}

Made<SinglePathTrainer, SposMutator> make_spos(const SearchSetup& setup) {
  auto mutator = std::make_unique<SposMutator>(*setup.network, RandomMutatorOptions{.seed = 5});
  auto trainer = std::make_unique<SinglePathTrainer>(
      setup, *mutator,
      [](const ir::Graph& space) {
        return std::make_unique<RandomStrategy>(space, RandomOptions{}, 3);
      },
      SinglePathOptions{.n_candidates = 4, .recalibration_batches = 2});
  return {std::move(mutator), std::move(trainer)};
}

TEST(RankedTraining, OfSposEqualsThatOfOneRankOnTheSameBatches) {
  expect_ranks_equal_one(make_spos);
}

/// The trials of an evolution over an untrained supernet, as the first of `ranks` keeps them.
std::vector<Trial> final_trials(Ranks& ranks) {
  const SearchSetup setup = search_of(&ranks, {.sync_batch_norm = true});
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(
      setup, mutator,
      [](const ir::Graph& space) {
        return std::make_unique<SposEvolutionStrategy>(
            space,
            SposEvolutionOptions{
                .population = 2, .parents = 2, .crossovers = 1, .mutations = 1, .rounds = 3},
            3);
      },
      {.recalibration_batches = 2});
  FinalSearch search = trainer.final_search().value();
  RankedRunner runner(*search.evaluator, ranks, [] { return false; });
  if (!ranks.is_first()) {
    EXPECT_NE(runner.follow(), std::nullopt);
    return {};
  }
  const TemporaryFolder folder;
  Experiment experiment(setup.network->graph(), "stripes", *search.evaluator, *search.strategy,
                        folder.path());
  ExperimentObserver nobody;
  experiment.run({.max_trials = search.max_trials}, runner, nobody);
  runner.conclude(experiment.best()->proposal.architecture);
  return experiment.trials();
}

TEST(RankedTraining, EndsWithTheSameTrialsToTheBitOnAnyNumberOfRanks) {
  std::vector<Trial> of_one;
  for (const int64_t n : {1, 2, 3}) {
    EXPECT_THAT(in_ranks(n,
                         [&](Ranks& ranks) {
                           const std::vector<Trial> trials = final_trials(ranks);
                           if (n == 1) {
                             of_one = trials;
                             ASSERT_EQ(trials.size(), 5) << "not all of the space";
                           } else if (ranks.is_first()) {
                             ASSERT_EQ(trials.size(), of_one.size());
                           }
                           for (size_t i = 0; i < trials.size(); ++i) {
                             EXPECT_EQ(trials[i].proposal, of_one[i].proposal);
                             EXPECT_EQ(trials[i].evaluation.objectives,
                                       of_one[i].evaluation.objectives);
                             EXPECT_EQ(trials[i].evaluation.metrics, of_one[i].evaluation.metrics);
                           }
                         }),
                Each(""));
  }
}

TEST(RankedTraining, KeepsRanksEqualWhereEachNormalisesByItself) {
  const TrainerOptions options = {.epochs = 2, .digest_every = 1};
  EXPECT_THAT(in_ranks(2, [&](Ranks& ranks) { result_of(&ranks, options, make_darts(1)); }),
              Each(""));
}

TEST(RankedTraining, StopsAllAfterTheSameStepWhereOneIsAskedTo) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         const SearchSetup setup = search_of(&ranks, {.epochs = 3});
                         const auto [mutator, trainer] = make_darts(1)(setup);
                         Recorder recorder(ranks.rank() == 1 ? 1 : 0);
                         EXPECT_EQ(trainer->fit(recorder, nullptr), Ending::Stopped);
                         EXPECT_EQ(trainer->steps_done(), 2);
                       }),
              Each(""));
}

/// Goes wrong on one rank after some steps.
class Fault final : public TrainingObserver {
 public:
  /// step: of the first epoch; 0: never.
  Fault(int64_t step, std::function<void()> strike) : step_(step), strike_(std::move(strike)) {}
  void on_step(const StepReport& report) override {
    if (report.epoch == 0 && report.step == step_) {
      strike_();
    }
  }

 private:
  int64_t step_;
  std::function<void()> strike_;
};

/// Moves one number by the least that can be.
void spoil(const at::Tensor& tensor) {
  const at::NoGradGuard no_grad;
  at::Tensor first = tensor.view({-1})[0];
  first.fill_(std::nextafter(first.item<double>(), 2.0));
}

TEST(RankedTraining, IsStoppedByTheDigestWhereOneRankHasComeToOtherNumbers) {
  const TemporaryFolder folder;
  CheckpointStore checkpoints(folder / "checkpoints");
  const auto errors = in_ranks(3, [&](Ranks& ranks) {
    const SearchSetup setup = search_of(&ranks, {.epochs = 3, .digest_every = 2});
    const auto [mutator, trainer] = make_darts(1)(setup);
    const at::Tensor weight = setup.network->named_parameters()["head.bias"];
    Fault fault(ranks.rank() == 1 ? 3 : 0, [&] { spoil(weight); });
    trainer->fit(fault, ranks.is_first() ? &checkpoints : nullptr);
  });
  EXPECT_THAT(errors, Each(AllOf(HasSubstr("after step 4 rank 1 differs from rank 0 in "),
                                 HasSubstr("network/head.bias"), HasSubstr("--resume"))));
  EXPECT_TRUE(checkpoints.steps().empty()) << "what differs was saved";
}

/// The errors of 3 ranks that search, the last of which strikes after its third step.
template <class Make>
std::vector<std::string> errors_where_one_strikes(
    const Make& make, const std::function<void(const Network&, Mutator&)>& strike) {
  return in_ranks(3, [&](Ranks& ranks) {
    const SearchSetup setup =
        search_of(&ranks, {.epochs = 2, .sync_batch_norm = true, .digest_every = 1});
    const auto [mutator, trainer] = make(setup);
    Fault fault(ranks.rank() == 2 ? 3 : 0, [&, m = mutator.get()] { strike(setup.network, *m); });
    trainer->fit(fault, nullptr);
  });
}

const char* const kAfterThree = "after step 3 rank 2 differs from rank 0 in ";

TEST(RankedTraining, IsStoppedByTheDigestWhereOneRankHasOtherAlphas) {
  EXPECT_THAT(errors_where_one_strikes(
                  make_darts(1), [](const Network&, Mutator& m) { spoil(m.parameters().front()); }),
              Each(AllOf(HasSubstr(kAfterThree), HasSubstr("mutator/"))));
}

TEST(RankedTraining, IsStoppedByTheDigestWhereOneRankHasOtherStatistics) {
  EXPECT_THAT(
      errors_where_one_strikes(make_darts(1),
                               [](const Network& network, Mutator&) {
                                 for (const auto& buffer : network->named_buffers()) {
                                   if (buffer.key().find("running_var") != std::string::npos) {
                                     spoil(buffer.value());
                                     return;
                                   }
                                 }
                               }),
      Each(AllOf(HasSubstr(kAfterThree), HasSubstr("running_var"))));
}

TEST(RankedTraining, IsStoppedByTheDigestWhereOneRankHasDrawnAnotherSample) {
  EXPECT_THAT(errors_where_one_strikes(make_spos, [](const Network&, Mutator& m) { m.reset(); }),
              Each(AllOf(HasSubstr(kAfterThree), HasSubstr("state/architecture, state/mutator:"))));
}

TEST(RankedTraining, IsStoppedByTheDigestWhereOneRankHasAnotherLearningRate) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         SearchSetup setup = search_of(&ranks, {.epochs = 1});
                         setup.weight_optimizer.lr *= ranks.is_first() ? 1 : 1 + 1e-15;
                         const auto [mutator, trainer] = make_darts(1)(setup);
                         Recorder recorder;
                         trainer->fit(recorder, nullptr);
                       }),
              Each(HasSubstr("after step 0 rank 1 differs from rank 0 in state/lr:")));
}

TEST(RankedTraining, NeedsBatchesThatCanBeSharedEvenly) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         const Batches whole = stripe_batches(24, 2, 9);
                         EXPECT_THAT(error_of([&] { share_of(whole, &ranks); }),
                                     HasSubstr("a batch of 9 samples cannot be shared evenly by 2 "
                                               "ranks: give a multiple of 2"));
                         ranks.any(false);  // no rank leaves while another still connects
                       }),
              Each(""));
}

TEST(RankedBatches, AreTogetherTheBatchOfOneRank) {
  BatchOptions options = {.batch_size = 6,
                          .seed = 4,
                          .last = LastBatch::Drop,
                          .augment = {.crop_padding = 2, .flip = Flip::Horizontal, .cutout = 2}};
  const Dataset set = stripes(20, 1);
  const Batches whole(set, options);
  options.n_ranks = 3;
  for (const int64_t i : {0, 1, 2}) {
    const Batch batch = whole.batch(5, i);
    for (int64_t r = 0; r < 3; ++r) {
      options.rank = r;
      const Batch share = Batches(set, options).batch(5, i);
      EXPECT_EQ(share.size(), 2);
      EXPECT_TRUE(share.inputs.equal(batch.inputs.slice(0, 2 * r, 2 * r + 2)));
      EXPECT_TRUE(share.targets.equal(batch.targets.slice(0, 2 * r, 2 * r + 2)));
      EXPECT_EQ(share.sample_keys, std::vector<uint64_t>(batch.sample_keys.begin() + 2 * r,
                                                         batch.sample_keys.begin() + 2 * r + 2));
    }
  }
}

}  // namespace
}  // namespace retia
