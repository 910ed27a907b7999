#include "retia/engine/executor/passes/mixed_ops_instruction.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "retia/engine/distributed/ranks.h"

namespace retia::executor {
namespace {

/// Returns the candidates that the operation runs.
std::string names(const MixedChoice& choice) {
  std::string text;
  for (size_t k = 0; k < choice.candidates.size(); ++k) {
    text += choice.candidates[k].is_known() ? ' ' + choice.instruction->branches()[k].name : "";
  }
  return text;
}

/// Returns the candidates that run as they are, and why.
std::string rest(const MixedChoice& choice) {
  std::string text;
  for (size_t k = 0; k < choice.candidates.size(); ++k) {
    const std::string& reason = choice.candidates[k].reason;
    text +=
        reason.empty() ? "" : ' ' + choice.instruction->branches()[k].name + " (" + reason + ')';
  }
  return text.empty() ? "" : "\nas they are:" + text;
}

}  // namespace

bool MixedOps::applies() const {
  const Norm* like = nullptr;
  return std::all_of(edges_.begin(), edges_.end(), [&like](const BlendedEdge& edge) {
    const Verdict* const verdict = verdict_of(edge.choice->choice());
    const Norm* const norm = verdict != nullptr && edge.choice->gains(*verdict)
                                 ? edge.choice->common_norm(*verdict)
                                 : nullptr;
    like = like != nullptr ? like : norm;
    return norm != nullptr && alike(*norm, *like);
  });
}

bool MixedOps::applies_to(const Frame& frame) const {
  const auto beside = dtype_beside(frame[x()]);
  return beside && std::all_of(edges_.begin(), edges_.end(), [&](const BlendedEdge& edge) {
           const Verdict& verdict = *verdict_of(edge.choice->choice());
           return verdict.weights.scalar_type() == *beside &&
                  edge.choice->common_norm(verdict)->running_mean.scalar_type() == *beside;
         });
}

void MixedOps::run(Frame& frame) const {
  at::Tensor& x = frame[inputs().front()];
  x = read_by_fusion(x);  // once for all who read it
  std::vector<const BlendedEdge*> due;
  for (const BlendedEdge& edge : edges_) {
    if (frame.is_live(edge.made)) {
      due.push_back(&edge);
    }
  }
  const std::vector<at::Tensor> made = blends(due, x, frame);
  for (size_t k = 0; k < due.size(); ++k) {
    frame[due[k]->made] = made[k];
  }
}

std::string MixedOps::describe(const Program& program) const {
  const auto name = [&](Value value) { return program.values[value].name; };
  std::string text;
  if (edges_.size() > 1) {
    text = c10::str("readers of ", name(x()), ": mixed_op of stride ", stride(), " for ",
                    edges_.size(), " siblings");
  }
  for (const BlendedEdge& edge : edges_) {
    const std::string own = name(edge.choice->instruction->outputs().front());
    const std::string sum = edge.made == edge.choice->instruction->outputs().front()
                                ? ""
                                : (edge.onto ? ", added to " : ", first of ") + name(edge.made);
    text += c10::str(text.empty() ? "" : "\n", own, ": mixed_op of stride ", stride(), " of",
                     names(*edge.choice), sum, rest(*edge.choice));
  }
  return text;
}

std::string MixedOps::condition() const {
  return "each choice is blended by weights, with two candidates or more that mixed_op knows, "
         "all normalised alike; x is an image of the dtype of the weights, on a GPU also of half "
         "precision";
}

Work MixedOps::cost(const Program& program) const {
  Work sum;
  for (const BlendedEdge& edge : edges_) {
    sum += edge_cost(program, edge);
  }
  return sum;
}

Work MixedOps::edge_cost(const Program& program, const BlendedEdge& edge) const {
  const bool follows = &edge != &edges_.front();
  const double size = size_of(program.values[edge.made]);
  Work sum;
  const std::vector<Branch>& branches = edge.choice->instruction->branches();
  for (size_t k = 0; k < branches.size(); ++k) {
    const RecognisedBranch& candidate = edge.choice->candidates[k];
    if (edge.choice->choice().always_zero(static_cast<int64_t>(k))) {
      continue;
    }
    Work work = candidate.is_known() && candidate.norms.empty()
                    ? Work()  // the identity is what it reads
                    : executor::cost(branches[k].program);
    if (candidate.is_known()) {
      work.unfused_numbers += 3 * size;  // times its weight, added
      const bool is_pool = candidate.weights.empty();
      work.numbers =
          (follows && is_pool ? 1 : 2) * static_cast<double>(candidate.norms.size()) * size;
    }
    sum += work;
  }
  sum.numbers += (follows ? 0 : 2) * size_of(program.values[x()]) + (edge.onto ? 2 : 1) * size;
  return sum;
}

std::vector<at::Tensor> MixedOps::blends(const std::vector<const BlendedEdge*>& edges,
                                         const at::Tensor& x, const Frame& frame) const {
  const MixedChoice& first = *edges.front()->choice;
  const Norm& like = *first.common_norm(*verdict_of(first.choice()));
  kernels::MixedOpOptions options = {.branches = {},
                                     .edges = {},
                                     .summed = {},
                                     .stride = stride(),
                                     .training = like.layer->is_training(),
                                     .momentum = like.layer->momentum(),
                                     .epsilon = like.epsilon,
                                     .ranks = like.layer->synchronised()};
  const bool moves = options.training && !like.layer->keeps_statistics();
  std::vector<at::Tensor> weights_of_branches, weights, running, sums;
  for (const BlendedEdge* const edge : edges) {
    const LayerChoiceImpl& choice = edge->choice->choice();
    const Verdict verdict = *verdict_of(choice);
    std::vector<int64_t> places;
    at::Tensor others = edge->onto ? frame[*edge->onto] : at::Tensor();
    for (size_t k = 0; k < verdict.chosen.size(); ++k) {
      const int64_t index = verdict.chosen[k];
      const RecognisedBranch& candidate = edge->choice->candidate(index);
      const auto place = static_cast<int64_t>(k);
      if (candidate.is_known()) {
        options.branches.push_back(static_cast<int64_t>(candidate.branch));
        places.push_back(place);
        weights.insert(weights.end(), candidate.weights.begin(), candidate.weights.end());
        for (const Norm& norm : candidate.norms) {
          if (moves || !options.training) {
            running.push_back(norm.running_mean);
            running.push_back(norm.running_var);
          }
          if (moves) {
            norm.layer->mark_moved();
          }
        }
      } else if (!choice.always_zero(index)) {
        const at::Tensor term = choice.run_candidate(index, {x}) * verdict.weights[place];
        others = others.defined() ? others + term : term;
      }
    }
    if (others.defined()) {
      options.summed.push_back(static_cast<int64_t>(options.edges.size()));
      sums.push_back(others.to(x.scalar_type()));
    }
    options.edges.push_back(static_cast<int64_t>(places.size()));
    weights_of_branches.push_back(verdict.weights.index_select(0, at::tensor(places)));
  }
  return kernels::mixed_ops(x, at::cat(weights_of_branches), weights, running, sums, options);
}

}  // namespace retia::executor
