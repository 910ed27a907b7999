#include "retia/engine/executor/passes/mixed_ops.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/executor/passes/mixed_branch.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/mutables/base_mutator.h"

namespace retia::executor {
namespace {

bool alike(const Norm& a, const Norm& b) {
  return a.epsilon == b.epsilon && a.layer->momentum() == b.layer->momentum() &&
         a.layer->is_training() == b.layer->is_training() &&
         a.layer->keeps_statistics() == b.layer->keeps_statistics() &&
         a.layer->synchronised() == b.layer->synchronised() &&
         a.running_mean.scalar_type() == b.running_mean.scalar_type();
}

/// A layer choice with its candidates as branches of the fused operation.
struct MixedChoice {
  std::shared_ptr<const LayerChoiceInstruction> instruction;
  std::vector<MixedBranch> candidates;
  int64_t stride = 1;

  const LayerChoiceImpl& choice() const { return *instruction->choice(); }
  Value x() const { return instruction->inputs().front(); }
  const MixedBranch& candidate(int64_t index) const {
    return candidates[static_cast<size_t>(index)];
  }

  /// Returns the normalisation that all chosen candidates share; null where they differ or none
  /// normalises.
  const Norm* common_norm(const Verdict& verdict) const {
    const Norm* first = nullptr;
    for (const int64_t index : verdict.chosen) {
      if (!candidate(index).is_known()) {
        continue;
      }
      for (const Norm& norm : candidate(index).norms) {
        first = first != nullptr ? first : &norm;
        if (!alike(norm, *first)) {
          return nullptr;
        }
      }
    }
    return first;
  }

  /// Returns whether the choice, blended as `verdict` says, gains from fusion.
  bool gains(const Verdict& verdict) const {
    const auto n_known =
        std::count_if(verdict.chosen.begin(), verdict.chosen.end(),
                      [this](int64_t index) { return candidate(index).is_known(); });
    return verdict.weights.defined() && n_known > 1;
  }
};

/// One result of a fused instruction: the blend of a choice, added to a sum so far where there is
/// one.
struct Edge {
  std::shared_ptr<const MixedChoice> choice;
  Value made;
  std::optional<Value> onto = {};
};

/// Runs layer choices of one input and stride in one call of the fused operation.
class MixedOps final : public Instruction {
 public:
  MixedOps(Slot slot, std::vector<Edge> edges)
      : Instruction(std::move(slot)), edges_(std::move(edges)) {}

  const std::vector<Edge>& edges() const { return edges_; }
  Value x() const { return inputs().front(); }
  int64_t stride() const { return edges_.front().choice->stride; }

  void add_decisions(std::vector<int64_t>& key) const override { key.push_back(applies() ? 1 : 0); }

  bool applies() const override {
    const Norm* like = nullptr;
    return std::all_of(edges_.begin(), edges_.end(), [&like](const Edge& edge) {
      const Verdict* const verdict = verdict_of(edge.choice->choice());
      const Norm* const norm = verdict != nullptr && edge.choice->gains(*verdict)
                                   ? edge.choice->common_norm(*verdict)
                                   : nullptr;
      like = like != nullptr ? like : norm;
      return norm != nullptr && alike(*norm, *like);
    });
  }

  bool applies_to(const Frame& frame) const override {
    const auto beside = dtype_beside(frame[x()]);
    return beside && std::all_of(edges_.begin(), edges_.end(), [&](const Edge& edge) {
             const Verdict& verdict = *verdict_of(edge.choice->choice());
             return verdict.weights.scalar_type() == *beside &&
                    edge.choice->common_norm(verdict)->running_mean.scalar_type() == *beside;
           });
  }

  void run(Frame& frame) const override {
    at::Tensor& x = frame[inputs().front()];
    x = read_by_fusion(x);  // once for all who read it
    std::vector<const Edge*> due;
    for (const Edge& edge : edges_) {
      if (frame.is_live(edge.made)) {
        due.push_back(&edge);
      }
    }
    const std::vector<at::Tensor> made = blends(due, x, frame);
    for (size_t k = 0; k < due.size(); ++k) {
      frame[due[k]->made] = made[k];
    }
  }

  std::string describe(const Program& program) const override {
    const auto name = [&](Value value) { return program.values[value].name; };
    std::string text;
    if (edges_.size() > 1) {
      text = c10::str("readers of ", name(x()), ": mixed_op of stride ", stride(), " for ",
                      edges_.size(), " siblings");
    }
    for (const Edge& edge : edges_) {
      const std::string own = name(edge.choice->instruction->outputs().front());
      const std::string sum = edge.made == edge.choice->instruction->outputs().front()
                                  ? ""
                                  : (edge.onto ? ", added to " : ", first of ") + name(edge.made);
      text += c10::str(text.empty() ? "" : "\n", own, ": mixed_op of stride ", stride(), " of",
                       names(*edge.choice), sum, rest(*edge.choice));
    }
    return text;
  }

  std::string condition() const override {
    return "each choice is blended by weights, with two candidates or more that mixed_op knows, "
           "all normalised alike; x is an image of the dtype of the weights, on a GPU also of half "
           "precision";
  }

  Work cost(const Program& program) const override {
    Work sum;
    for (const Edge& edge : edges_) {
      sum += edge_cost(program, edge);
    }
    return sum;
  }

 private:
  /// Returns the work of one edge: each normalised tensor is written and read, the input is read
  /// twice, the result written once. An edge after the first reads no input again and writes no
  /// pools.
  Work edge_cost(const Program& program, const Edge& edge) const {
    const bool follows = &edge != &edges_.front();
    const double size = size_of(program.values[edge.made]);
    Work sum;
    const std::vector<Branch>& branches = edge.choice->instruction->branches();
    for (size_t k = 0; k < branches.size(); ++k) {
      const MixedBranch& candidate = edge.choice->candidates[k];
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

  static std::string names(const MixedChoice& choice) {
    std::string text;
    for (size_t k = 0; k < choice.candidates.size(); ++k) {
      text += choice.candidates[k].is_known() ? ' ' + choice.instruction->branches()[k].name : "";
    }
    return text;
  }

  /// Returns the candidates that run as they are, and why.
  static std::string rest(const MixedChoice& choice) {
    std::string text;
    for (size_t k = 0; k < choice.candidates.size(); ++k) {
      const std::string& reason = choice.candidates[k].reason;
      text +=
          reason.empty() ? "" : ' ' + choice.instruction->branches()[k].name + " (" + reason + ')';
    }
    return text.empty() ? "" : "\nas they are:" + text;
  }

  std::vector<at::Tensor> blends(const std::vector<const Edge*>& edges, const at::Tensor& x,
                                 const Frame& frame) const {
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
    for (const Edge* const edge : edges) {
      const LayerChoiceImpl& choice = edge->choice->choice();
      const Verdict verdict = *verdict_of(choice);
      std::vector<int64_t> places;
      at::Tensor others = edge->onto ? frame[*edge->onto] : at::Tensor();
      for (size_t k = 0; k < verdict.chosen.size(); ++k) {
        const int64_t index = verdict.chosen[k];
        const MixedBranch& candidate = edge->choice->candidate(index);
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

  std::vector<Edge> edges_;
};

/// Adds an edge to a sum so far, or begins the sum with it.
class AddToSum final : public Instruction {
 public:
  using Instruction::Instruction;

  void run(Frame& frame) const override {
    at::Tensor sum = frame[inputs().front()];
    for (size_t i = 1; i < inputs().size(); ++i) {
      sum = sum + frame[inputs()[i]];
    }
    frame[outputs().front()] = std::move(sum);
  }

  std::string describe(const Program& program) const override {
    return program.values[outputs().front()].name + ": sum so far";
  }

  Work cost(const Program& program) const override {
    const double size = size_of(program.values[outputs().front()]);
    const double n = inputs().size() > 1 ? static_cast<double>(inputs().size()) + 1 : 0;
    return {.numbers = n * size, .unfused_numbers = n * size};
  }
};

/// The rest of a node that sums edges: the sum so far and what else is added to it.
class RestOfSum final : public Instruction {
 public:
  /// `choice`: the input choice that the node is; null: the node always sums all its inputs.
  RestOfSum(Slot slot, std::shared_ptr<InputChoiceImpl> choice)
      : Instruction(std::move(slot)), choice_(std::move(choice)) {}

  void add_decisions(std::vector<int64_t>& key) const override {
    if (choice_) {
      key.push_back(applies() ? 1 : 0);
    }
  }

  bool applies() const override {
    const Verdict* const verdict = choice_ ? verdict_of(*choice_) : nullptr;
    return !choice_ ||
           (verdict != nullptr && !verdict->weights.defined() &&
            static_cast<int64_t>(verdict->chosen.size()) == choice_->info().n_candidates());
  }
  bool may_refuse() const override { return false; }

  void run(Frame& frame) const override {
    at::Tensor sum = std::move(frame[inputs().front()]);
    for (size_t i = 1; i < inputs().size(); ++i) {
      sum = sum + frame[inputs()[i]];
    }
    frame[outputs().front()] = std::move(sum);
  }

  std::string describe(const Program& program) const override {
    return program.values[outputs().front()].name + ": sum of inputs, by its edges";
  }

  std::string condition() const override {
    return choice_ ? "all inputs are chosen, without weights" : "";
  }

  /// The sum so far stands for the edges.
  Work cost(const Program& program) const override {
    const double size = size_of(program.values[outputs().front()]);
    Work work = replaced().front()->cost(program);
    const auto n_others = static_cast<double>(inputs().size() - 1);
    work.numbers = n_others == 0 ? 0 : (n_others + 2) * size;
    return work;
  }

 private:
  std::shared_ptr<InputChoiceImpl> choice_;
};

/// Returns a layer choice with its branches; null where the operation would run fewer than two.
std::shared_ptr<const MixedChoice> mixed_choice(const Program& program,
                                                const InstructionPtr& instruction) {
  const auto choice = std::dynamic_pointer_cast<const LayerChoiceInstruction>(instruction);
  if (!choice || choice->inputs().size() != 1) {
    return nullptr;
  }
  const ValueInfo& made = program.values[choice->outputs().front()];
  if (made.shape.size() != 3 || made.channels) {
    return nullptr;
  }
  MixedChoice found{choice, {}};
  int64_t n_known = 0;
  for (const Branch& branch : choice->branches()) {
    MixedBranch candidate = recognise_branch(branch.program);
    if (candidate.is_known() && n_known == 0) {
      found.stride = candidate.stride;
    }
    if (candidate.is_known() && candidate.stride != found.stride) {
      candidate.reason = "another stride than the first";
    }
    n_known += candidate.is_known() ? 1 : 0;
    if (!candidate.is_known() &&
        choice->choice()->always_zero(static_cast<int64_t>(found.candidates.size()))) {
      candidate.reason = "zero: left out";
    }
    found.candidates.push_back(std::move(candidate));
  }
  return n_known > 1 ? std::make_shared<const MixedChoice>(std::move(found)) : nullptr;
}

using MixedOpsPtr = std::shared_ptr<const MixedOps>;

/// Makes each layer choice that the operation can blend an instruction of its own.
std::vector<MixedOpsPtr> fuse_each(Program& program) {
  std::vector<MixedOpsPtr> found;
  for (const InstructionPtr& instruction : program.instructions) {
    if (auto choice = mixed_choice(program, instruction)) {
      const Value made = instruction->outputs().front();
      found.push_back(std::make_shared<MixedOps>(
          Instruction::Slot{instruction->place(), instruction->inputs(), {made}, {instruction}},
          std::vector{Edge{std::move(choice), made}}));
    }
  }
  for (const MixedOpsPtr& instruction : found) {
    program.put(instruction);
  }
  return found;
}

/// Returns what all siblings have in common.
auto kind_of(const MixedOps& instruction) {
  const MixedChoice& choice = *instruction.edges().front().choice;
  for (const MixedBranch& candidate : choice.candidates) {
    if (candidate.is_known() && !candidate.norms.empty()) {
      const Norm& norm = candidate.norms.front();
      return std::tuple(choice.x(), choice.stride, norm.epsilon, norm.layer->momentum());
    }
  }
  return std::tuple(choice.x(), choice.stride, 0.0, 0.0);
}

/// Joins siblings: they read the input once.
std::vector<MixedOpsPtr> join(Program& program, const std::vector<MixedOpsPtr>& all) {
  std::map<decltype(kind_of(*all.front())), std::vector<MixedOpsPtr>> siblings;
  for (const MixedOpsPtr& instruction : all) {
    siblings[kind_of(*instruction)].push_back(instruction);
  }
  std::vector<MixedOpsPtr> joined;
  for (const auto& [kind, members] : siblings) {
    if (members.size() == 1) {
      joined.push_back(members.front());
      continue;
    }
    Instruction::Slot slot{.place = members.front()->place(), .inputs = {std::get<0>(kind)}};
    std::vector<Edge> edges;
    for (const MixedOpsPtr& member : members) {
      edges.push_back(member->edges().front());
      slot.outputs.push_back(edges.back().made);
      slot.replaced.push_back(member);
    }
    joined.push_back(std::make_shared<MixedOps>(std::move(slot), std::move(edges)));
    program.put(joined.back());
  }
  std::sort(joined.begin(), joined.end(),
            [](const MixedOpsPtr& a, const MixedOpsPtr& b) { return a->place() < b->place(); });
  return joined;
}

/// Returns whether an instruction sums all its inputs, or all chosen ones.
bool adds_all(const Program& program, const Instruction& instruction) {
  const auto* const choice = dynamic_cast<const InputChoiceInstruction*>(&instruction);
  return choice != nullptr ? choice->choice()->reduction() == Reduction::Sum
                           : decided_type(program, instruction) == "add";
}

/// Lets fused instructions add their edges to the sums that are the only ones to read them.
class Summation {
 public:
  Summation(Program& program, const std::vector<MixedOpsPtr>& all)
      : program_(program), uses_(uses_of(program)), before_(program.instructions) {
    for (const MixedOpsPtr& instruction : all) {
      rewrite(*instruction, instruction);
    }
    for (const auto& [reader, sum] : sums_) {
      finish(before_[reader], sum);
    }
  }

 private:
  /// A node that sums: its sum so far, and the edges in it.
  struct Sum {
    Value so_far;
    std::vector<Value> edges;
  };

  /// Returns the number of the summing instruction that alone reads `edge`; none: there is none.
  std::optional<size_t> reader_of(Value edge) const {
    const std::vector<size_t>& readers = uses_.readers[edge];
    const bool is_summed = readers.size() == 1 && readers.front() < before_.size() &&
                           adds_all(program_, *before_[readers.front()]);
    return is_summed ? std::optional(readers.front()) : std::nullopt;
  }

  void rewrite(const MixedOps& instruction, const MixedOpsPtr& pointer) {
    Instruction::Slot slot{.place = instruction.place(), .inputs = {instruction.x()}};
    std::vector<Edge> edges = instruction.edges();
    std::vector<InstructionPtr> additions;
    std::vector<size_t> seen;  // readers of this instruction's edges: one call adds to a sum once
    for (Edge& edge : edges) {
      const std::optional<size_t> reader = reader_of(edge.made);
      if (reader && std::find(seen.begin(), seen.end(), *reader) == seen.end()) {
        seen.push_back(*reader);
        additions.push_back(add(edge, *reader));
        if (edge.onto) {
          slot.inputs.push_back(*edge.onto);
        }
      }
      slot.outputs.push_back(edge.made);
    }
    if (additions.empty()) {
      return;
    }
    slot.replaced = {pointer};
    slot.replaced.insert(slot.replaced.end(), additions.begin(), additions.end());
    program_.put(std::make_shared<MixedOps>(std::move(slot), std::move(edges)));
  }

  /// Lets `edge` be added to the sum of `reader`. Returns the instruction that adds it otherwise.
  InstructionPtr add(Edge& edge, size_t reader) {
    const Value own = edge.made;
    edge.made = program_.add(program_.values[before_[reader]->outputs().front()]);
    Instruction::Slot slot{.place = edge.choice->instruction->place(), .outputs = {edge.made}};
    const auto found = sums_.find(reader);
    if (found != sums_.end()) {
      edge.onto = found->second.so_far;
      slot.inputs.push_back(*edge.onto);
    }
    slot.inputs.push_back(own);
    Sum& sum = sums_[reader];
    sum.so_far = edge.made;
    sum.edges.push_back(own);
    return std::make_shared<AddToSum>(std::move(slot));
  }

  void finish(const InstructionPtr& node, const Sum& sum) {
    Instruction::Slot slot{node->place(), {sum.so_far}, node->outputs(), {node}};
    for (const Value input : node->inputs()) {
      if (std::find(sum.edges.begin(), sum.edges.end(), input) == sum.edges.end()) {
        slot.inputs.push_back(input);
      }
    }
    const auto* const choice = dynamic_cast<const InputChoiceInstruction*>(node.get());
    program_.put(std::make_shared<RestOfSum>(std::move(slot),
                                             choice != nullptr ? choice->choice() : nullptr));
  }

  Program& program_;
  const Uses uses_;
  const std::vector<InstructionPtr> before_;
  std::map<size_t, Sum> sums_;  // by the number of the instruction that sums
};

}  // namespace

Program fuse_mixed_ops(Program program) {
  const std::vector<MixedOpsPtr> joined = join(program, fuse_each(program));
  Summation(program, joined);
  return program;
}

}  // namespace retia::executor
