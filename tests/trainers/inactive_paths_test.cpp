#include <gtest/gtest.h>

#include <set>

#include "retia/engine/space/freeze.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/algorithms.h"

namespace retia {
namespace {

using Names = std::set<std::string>;

struct PathCase {
  std::string algorithm;
  Json options = Json::object();
  bool trains_paths = true;  ///< or all candidates in every step
};

class InactivePaths : public testing::TestWithParam<PathCase> {};

/// A space of two choices, whose candidates all have weights.
ir::Graph two_choices() {
  Builder b("two_choices");
  Wire x = b.add("stem", ops::conv2d({.out = 4, .kernel = 1}), {b.input("image", {1, 6, 6})});
  for (const char* const name : {"first", "second"}) {
    x = b.layer_choice(name,
                       {{"conv1", block({.kernel = 1})},
                        {"conv3", block({.kernel = 3})},
                        {"conv5", block({.kernel = 5})}},
                       {x});
  }
  const Wire mean = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {mean}));
  return b.finish();
}

Names names_of(const NamedTensors& tensors) {
  Names names;
  for (const auto& [name, tensor] : tensors) {
    names.insert(name);
  }
  return names;
}

/// Keeps the names of all weights on paths that steps have trained.
class PathObserver final : public TrainingObserver {
 public:
  PathObserver(const Search& search, bool trains_paths, int64_t n_steps)
      : search_(search), trains_paths_(trains_paths), n_steps_(n_steps) {}
  void on_step(const StepReport&) override {
    ++seen_;
    const Network& network = search_.trainer->network();
    used.merge(names_of(named_parameters(
        trains_paths_ ? *inherit(network, search_.mutator->current()) : *network)));
  }
  bool stop_requested() override { return seen_ == n_steps_; }

  Names used;

 private:
  const Search& search_;
  bool trains_paths_;
  int64_t n_steps_, seen_ = 0;
};

TEST_P(InactivePaths, HaveNeitherGradientsNorOptimiserState) {
  const PathCase& given = GetParam();
  for (const int64_t n_steps : {1, 4}) {
    SearchSetup setup = small_search(1);
    setup.network = Network(two_choices(), 1);
    const Search search = standard_algorithms().make(given.algorithm, given.options, setup, 7);
    const TemporaryFolder folder;
    CheckpointStore store(folder.path());
    PathObserver observer(search, given.trains_paths, n_steps);
    ASSERT_EQ(search.trainer->fit(observer, &store), Ending::Stopped);
    const Checkpoint saved = store.newest([](const auto&) {}).value();
    Names with_state;
    for (const std::string& name : names_of(with_prefix(saved.tensors, "weight_optimizer/"))) {
      with_state.insert(name.substr(0, name.find("/momentum")));
    }
    const Names all = names_of(named_parameters(*setup.network));
    EXPECT_EQ(with_state, observer.used);
    if (n_steps == 1) {
      EXPECT_EQ(with_state.size() < all.size(), given.trains_paths);
    }
    for (const auto& [name, weight] : named_parameters(*setup.network)) {
      EXPECT_FALSE(weight.grad().defined()) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, InactivePaths,
                         testing::Values(PathCase{"spos"}, PathCase{"random"}, PathCase{"enas"},
                                         PathCase{"gdas"}, PathCase{"proxyless", {{"warmup", 0}}},
                                         PathCase{"proxyless", {{"warmup", 0}, {"paths", 1}}},
                                         PathCase{"fairnas", Json::object(), false},
                                         PathCase{"darts", Json::object(), false},
                                         PathCase{"darts", {{"order", 2}}, false},
                                         PathCase{"pc_darts", {{"partial_channels", 1}}, false}),
                         [](const testing::TestParamInfo<PathCase>& instance) {
                           return instance.param.algorithm + std::to_string(instance.index);
                         });

}  // namespace
}  // namespace retia
