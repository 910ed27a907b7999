#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/softmax.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdlib>

#include "retia/engine/executor/network.h"
#include "retia/engine/io/safetensors.h"
#include "retia/engine/mutables/mutator.h"
#include "retia/models/darts_cnn.h"
#include "retia/models/enas_macro.h"
#include "retia/models/spos_chain.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-9;
// What rounding leaves of gradients that are zero: of shifts that a normalisation takes away.
constexpr double kRounding = 1e-14;

const fs::path kRoot = RETIA_SOURCE_DIR;

/// Decides by a given architecture; blends a layer choice by the softmax of its alphas, where
/// given.
class GivenAlphas final : public Mutator {
 public:
  GivenAlphas(const torch::nn::Module& model, std::map<std::string, at::Tensor> alphas)
      : Mutator(model), alphas_(std::move(alphas)) {}
  Architecture sample_search() override { return current(); }
  Architecture sample_final() const override { return current(); }
  at::Tensor weights(const Mutable& choice) const override {
    const auto found = alphas_.find(choice.label);
    return found == alphas_.end() ? at::Tensor() : at::softmax(found->second, 0);
  }

 private:
  std::map<std::string, at::Tensor> alphas_;
};

/// What plain PyTorch computed, by the part of the name before the colon.
class PeerRun {
 public:
  PeerRun(const fs::path& peers, const Json& settings) {
    const TemporaryFolder folder;
    const std::string command = (kRoot / ".venv/bin/python").string() + " " +
                                (kRoot / "tests/models/peer_parity.py").string() + " " +
                                peers.string() + " '" + settings.dump() + "' " +
                                (folder / "run.safetensors").string();
    TORCH_CHECK(std::system(command.c_str()) == 0, "failed: ", command);
    tensors_ = read_safetensors(folder / "run.safetensors").tensors;
  }

  const at::Tensor& operator[](const std::string& name) const { return tensors_.at(name); }

  std::map<std::string, at::Tensor> all(const std::string& kind) const {
    std::map<std::string, at::Tensor> found;
    for (const auto& [name, tensor] : tensors_) {
      if (name.rfind(kind + ":", 0) == 0) {
        found[name.substr(kind.size() + 1)] = tensor;
      }
    }
    return found;
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

void expect_close(const at::Tensor& found, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  const double error = (found - expected).abs().max().item<double>();
  EXPECT_LE(error, kTolerance * expected.abs().max().item<double>() + kRounding) << what;
}

std::vector<std::string> names_of(const std::map<std::string, at::Tensor>& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    names.push_back(name);
  }
  return names;
}

/// What `path` says, one decision a mutable; without a path everything.
Architecture decisions(const std::vector<Mutable>& mutables, const std::vector<Decision>& path) {
  Architecture architecture;
  for (size_t m = 0; m < mutables.size(); ++m) {
    std::vector<int64_t>& chosen = architecture[mutables[m].label].chosen;
    if (!path.empty()) {
      chosen = path.at(m).chosen;
      continue;
    }
    for (int64_t k = 0; k < mutables[m].n_candidates(); ++k) {
      chosen.push_back(k);
    }
  }
  return architecture;
}

/// Compares logits, all gradients, and the logits in evaluation mode after the running statistics
/// have moved.
void expect_equal(const ir::Graph& space, const PeerRun& peer, const std::vector<Decision>& path) {
  Network network(space, 1);
  network->to(at::kDouble);
  std::map<std::string, at::Tensor> weights;
  for (const auto& item : network->named_parameters()) {
    weights[item.key()] = item.value();
  }
  const std::map<std::string, at::Tensor> peer_weights = peer.all("weight");
  ASSERT_EQ(names_of(weights), names_of(peer_weights));
  for (const auto& [name, tensor] : peer_weights) {
    const at::NoGradGuard no_grad;
    weights[name].copy_(tensor);
  }
  std::map<std::string, at::Tensor> alphas = peer.all("alpha");
  std::vector<at::Tensor> leaves;
  for (auto& [label, alpha] : alphas) {
    leaves.push_back(alpha.requires_grad_());
  }
  for (const auto& [name, weight] : weights) {
    leaves.push_back(weight);
  }
  GivenAlphas mutator(*network, alphas);
  mutator.apply(decisions(mutator.mutables(), path));

  const at::Tensor logits = network->forward(peer["input"]);
  expect_close(logits, peer["logits"], "logits");
  const auto gradients = torch::autograd::grad({at::cross_entropy_loss(logits, peer["targets"])},
                                               leaves, {}, std::nullopt, false, true);
  const std::map<std::string, at::Tensor> alpha_gradients = peer.all("alpha_gradient");
  const std::map<std::string, at::Tensor> weight_gradients = peer.all("gradient");
  ASSERT_EQ(names_of(alpha_gradients), names_of(alphas));
  size_t next = 0;
  for (const auto& [label, gradient] : alpha_gradients) {
    expect_close(gradients[next++], gradient, "gradient of alpha " + label);
  }
  for (const auto& [name, weight] : weights) {
    const at::Tensor& gradient = gradients[next++];
    ASSERT_EQ(gradient.defined(), weight_gradients.count(name) != 0) << name;
    if (gradient.defined()) {
      expect_close(gradient, weight_gradients.at(name), "gradient of " + name);
    }
  }
  network->eval();
  expect_close(network->forward(peer["input"]), peer["evaluation_logits"], "evaluation logits");
}

class PeerParity : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(peers_ / "torch_darts.py")) {
      GTEST_SKIP() << "the reference programs are not in " << peers_;
    }
    if (!fs::exists(kRoot / ".venv/bin/python")) {
      GTEST_SKIP() << "no Python environment in " << kRoot / ".venv";
    }
  }

  void check_darts(const DartsCnnOptions& o, int64_t image, int64_t in_channels) const {
    const PeerRun peer(peers_, {{"space", "darts_cnn"},
                                {"channels", o.channels},
                                {"layers", o.layers},
                                {"nodes", o.nodes},
                                {"image", image},
                                {"in_channels", in_channels},
                                {"classes", 10},
                                {"batch", 6},
                                {"seed", 5}});
    expect_equal(darts_cnn(o, {{in_channels, image, image}, 10}), peer, {});
  }

  void check_spos(const std::vector<int64_t>& path, int64_t image) const {
    const SposChainOptions o{.channels = 8, .layers = static_cast<int64_t>(path.size())};
    const PeerRun peer(peers_, {{"space", "spos_chain"},
                                {"channels", o.channels},
                                {"layers", o.layers},
                                {"path", path},
                                {"image", image},
                                {"in_channels", 3},
                                {"classes", 10},
                                {"batch", 6},
                                {"seed", 5}});
    std::vector<Decision> decisions;
    for (const int64_t block : path) {
      decisions.push_back({{block}});
    }
    expect_equal(spos_chain(o, {{3, image, image}, 10}), peer, decisions);
  }

  /// path: the operation of each layer; skips: what each layer but the first adds to it.
  void check_enas(const std::vector<int64_t>& path, const std::vector<std::vector<int64_t>>& skips,
                  int64_t image) const {
    const EnasMacroOptions o{.channels = 6, .layers = static_cast<int64_t>(path.size())};
    const PeerRun peer(peers_, {{"space", "enas_macro"},
                                {"channels", o.channels},
                                {"layers", o.layers},
                                {"path", path},
                                {"skips", skips},
                                {"image", image},
                                {"in_channels", 3},
                                {"classes", 10},
                                {"batch", 6},
                                {"seed", 5}});
    std::vector<Decision> decisions = {{{path.front()}}};
    for (size_t i = 1; i < path.size(); ++i) {
      decisions.push_back({{path[i]}});
      decisions.push_back({skips[i]});
    }
    expect_equal(enas_macro(o, {{3, image, image}, 10}), peer, decisions);
  }

 private:
  const fs::path peers_ = kRoot / "../shared/peers";
};

TEST_F(PeerParity, DartsCnnComputesWhatPlainPyTorchDoes) {
  check_darts({.channels = 4, .layers = 5, .nodes = 4}, 32, 3);
}

TEST_F(PeerParity, DartsCnnAlsoDoesOnOddSizes) {
  check_darts({.channels = 6, .layers = 8, .nodes = 3}, 7, 1);
}

TEST_F(PeerParity, SposChainComputesWhatPlainPyTorchDoes) {
  check_spos({0, 1, 2, 3, 0, 1, 3, 2, 2, 3, 1, 0}, 16);
}

TEST_F(PeerParity, SposChainAlsoDoesOnOddSizes) { check_spos({3, 2, 3, 1, 0, 3}, 13); }

TEST_F(PeerParity, EnasMacroComputesWhatPlainPyTorchDoes) {
  check_enas({0, 1, 2, 3, 4, 5, 0, 2, 1, 3, 5, 4},
             {{},
              {0},
              {0, 1},
              {},
              {0, 2, 3},
              {1, 4},
              {0, 5},
              {},
              {0, 1, 2, 3, 4, 5, 6, 7},
              {3, 8},
              {2, 4, 9},
              {0, 10}},
             16);
}

TEST_F(PeerParity, EnasMacroAlsoDoesOnOddSizes) {
  check_enas({5, 4, 3, 1}, {{}, {}, {1}, {0, 2}}, 9);
}

}  // namespace
}  // namespace retia
