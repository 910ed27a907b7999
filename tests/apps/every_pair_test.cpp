#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"
#include "retia/mutators/fixed.h"
#include "retia/tests/apps/program_runs.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/score.h"

namespace retia {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

/// A space in a form of its own, "mobile" in "mobile_elastic".
std::string space_of(const std::string& form) { return form == "mobile_elastic" ? "mobile" : form; }

/// The settings of `name`; none where it needs none.
Words settings_of(const std::map<std::string, Words>& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? Words() : found->second;
}

/// Settings that bring spaces down to digits and seconds.
Words small_space(const std::string& form) {
  const std::map<std::string, Words> settings = {
      {"darts", {"space.channels=4", "space.layers=3", "space.nodes=2"}},
      {"darts_cnn", {"space.channels=4", "space.layers=3", "space.nodes=2"}},
      {"enas_macro", {"space.channels=4", "space.layers=3"}},
      {"enas_micro", {"space.channels=4", "space.layers=3", "space.nodes=2"}},
      {"mobile",
       {"space.blocks=[2,1]", "space.channels=[8,8]", "space.strides=[1,2]",
        "space.stem_channels=8", "space.stem_stride=1", "space.first_channels=8",
        "space.last_channels=16"}},
      {"mobile_elastic",
       {"space.elastic=true", "space.widths=[1,2]", "space.blocks=[2,1]", "space.channels=[8,8]",
        "space.strides=[1,2]", "space.stem_channels=8", "space.stem_stride=1",
        "space.first_channels=4", "space.last_channels=16"}},
      {"nasbench101", {"space.channels=4", "space.cells=1"}},
      {"nasbench201", {"space.channels=4", "space.cells=1"}},
      {"spos_chain", {"space.channels=4", "space.layers=3"}},
      {"spos_shufflenet",
       {"space.blocks=[1,2]", "space.channels=[8,16]", "space.stem_channels=4",
        "space.stem_stride=1", "space.last_channels=16"}}};
  Words words = {"--space", space_of(form)};
  for (const std::string& setting : settings_of(settings, form)) {
    words = joined(words, {"--set", setting});
  }
  return words;
}

/// Settings that bring algorithms down to seconds.
Words small_algorithm(const std::string& algorithm, const std::string& space) {
  const Words evolution = {"algorithm.evolution.population=4", "algorithm.evolution.rounds=2",
                           "algorithm.recalibration_batches=1"};
  const std::map<std::string, Words> settings = {
      {"darts", {"algorithm.order=2"}},
      {"enas",
       {"algorithm.controller_steps=1", "algorithm.aggregate=2", "algorithm.n_candidates=1"}},
      {"fairnas", evolution},
      {"p_darts", {"algorithm.extra_layers=[0,1]", "algorithm.dropped=[2]", "algorithm.warmup=0"}},
      {"pc_darts", {"algorithm.warmup=0"}},
      {"proxyless", {"algorithm.warmup=0"}},
      {"random", {"algorithm.n_candidates=2", "algorithm.recalibration_batches=1"}},
      {"spos", evolution}};
  Words words = {"--algorithm", algorithm};
  if (algorithm == "p_darts" && space != "darts_cnn") {
    words = joined(words, {"--set", "algorithm.skip_dropout=[0,0]"});  // has no such identities
  }
  for (const std::string& setting : settings_of(settings, algorithm)) {
    words = joined(words, {"--set", setting});
  }
  return words;
}

/// Why a pair is refused, or nothing.
std::string refusal(const std::string& space, const std::string& algorithm) {
  if (space == "darts" || space == "mnasnet") {
    return "is a base graph with graph mutators";
  }
  if (space == "nasbench101") {
    return "no supernet can share its weights";
  }
  const std::map<std::string, std::map<std::string, std::string>> of_algorithms = {
      {"fairnas",
       {{"darts_cnn", "chooses 2"},
        {"enas_macro", "any number"},
        {"enas_micro", "equally many candidates"},
        {"mlp", "equally many candidates"},
        {"mobile", "equally many candidates"},
        {"mobile_elastic", "equally many candidates"},
        {"tiny", "equally many candidates"}}},
      {"p_darts",
       {{"enas_macro", "decides more when it grows"},
        {"spos_chain", "decides more when it grows"},
        {"mlp", "decides more when it grows"},
        {"mobile", "no option 'layers'"},
        {"mobile_elastic", "no option 'layers'"},
        {"nasbench201", "no option 'layers'"},
        {"spos_shufflenet", "no option 'layers'"},
        {"tiny", "no option 'layers'"}}}};
  const auto known = of_algorithms.find(algorithm);
  if (known != of_algorithms.end() && known->second.count(space) != 0) {
    return known->second.at(space);
  }
  const bool learns_alphas = algorithm == "darts" || algorithm == "gdas" ||
                             algorithm == "proxyless" || algorithm == "p_darts";
  if (algorithm == "pc_darts" && space != "darts_cnn") {
    return "option partial_channels";
  }
  return space == "enas_macro" && (learns_alphas || algorithm == "spos") ? "any number" : "";
}

/// Returns whether `refusal` knows the pair. One that it does not know may search, or say what to
/// do instead.
bool is_known(const std::string& space, const std::string& algorithm) {
  const std::set<std::string> known = {
      "darts",       "darts_cnn", "enas_macro",      "enas_micro", "mlp",    "mnasnet",
      "mobile",      "tiny",      "mobile_elastic",  "gdas",       "spos",   "nasbench101",
      "nasbench201", "p_darts",   "spos_shufflenet", "spos_chain", "random", "enas",
      "fairnas",     "pc_darts",  "proxyless"};
  return known.count(space) != 0 && known.count(algorithm) != 0;
}

/// The exported architecture runs frozen as it does in the supernet, with the same weights.
void expect_frozen_equals_path(const std::filesystem::path& run, const std::string& space_name) {
  const Program program;
  const ir::Graph space = ir::graph_from_json(read_json(run / "space.json"), program.operations);
  const Architecture found =
      read_architecture(run / "architecture.json", ir::mutables(space), space_name);
  Network supernet(space, 7);
  supernet->to(at::kDouble);
  supernet->eval();
  Network frozen = inherit(supernet, found);
  frozen->eval();
  const FixedMutator mutator(*supernet, ir::completed(space, found));
  const Batches digits(program.data_sets.load({.name = "digits", .limit = 16}).train,
                       {.batch_size = 16, .dtype = at::kDouble});
  const at::NoGradGuard no_grad;
  const at::Tensor input = digits.batch(0, 0).inputs;
  const at::Tensor a = supernet->forward(input), b = frozen->forward(input);
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-6);
}

bool has_value_choices(const std::filesystem::path& run) {
  const ir::Graph space = ir::graph_from_json(read_json(run / "space.json"), Program().operations);
  const std::vector<Mutable> choices = ir::mutables(space);
  return std::any_of(choices.begin(), choices.end(),
                     [](const Mutable& choice) { return choice.kind == MutableKind::ValueChoice; });
}

/// Every space, and those forms of them that search otherwise.
std::vector<std::string> forms() {
  std::vector<std::string> all = Program().spaces.names();
  all.push_back("mobile_elastic");
  return all;
}

class EveryPair : public testing::TestWithParam<std::string> {};

TEST_P(EveryPair, SearchesDigitsExportsAndFreezesOrSaysWhyNot) {
  const Program program;
  for (const std::string& algorithm : program.algorithms.names()) {
    SCOPED_TRACE(algorithm + " in " + GetParam());
    const TemporaryFolder folder;
    const std::filesystem::path run = folder / "run";
    Words words = joined({"search"}, small_space(GetParam()));
    words = joined(words, small_algorithm(algorithm, GetParam()));
    const Ended ended = run_program(
        joined(words, {"--data", "digits", "--set", "data.limit=96", "--batch-size", "16",
                       "--epochs", "1", "--threads", "1", "--quiet", "--out", run}));
    const std::string reason = refusal(GetParam(), algorithm);
    const bool may_refuse = !is_known(GetParam(), algorithm) && ended.code == kFailed;
    if (!reason.empty() || may_refuse) {
      EXPECT_EQ(ended.code, kFailed);
      EXPECT_THAT(ended.err, HasSubstr(reason));
      if (may_refuse) {
        EXPECT_THAT(ended.err, AnyOf(HasSubstr("give "), HasSubstr("use ")));
      }
      EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
      EXPECT_FALSE(std::filesystem::exists(run)) << "half a run was left behind";
      continue;
    }
    ASSERT_EQ(ended.code, kDone) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("inherited weights: validation accuracy"));
    expect_frozen_equals_path(run, space_of(GetParam()));
    if (has_value_choices(run)) {
      const Ended scored = run_program({"evaluate", "--space", space_of(GetParam()),
                                        "--architecture", run / "architecture.json", "--checkpoint",
                                        run, "--data", "digits", "--threads", "1"});
      ASSERT_EQ(scored.code, kDone) << scored.err;
      EXPECT_THAT(scored.out, HasSubstr("test accuracy"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Spaces, EveryPair, testing::ValuesIn(forms()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace retia
