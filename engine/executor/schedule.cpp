#include "retia/engine/executor/schedule.h"

#include <algorithm>

namespace retia::executor {
namespace {

/// An instruction of the program and those that it replaced.
struct Tree {
  const Instruction* instruction = nullptr;
  bool runs = false;              // it is in the schedule
  std::vector<Value> reads = {};  // what it may read where it runs
  std::vector<Tree> replaced = {};
};

/// Decides which instructions run, from the last to the first.
class Liveness {
 public:
  explicit Liveness(const Program& program) : live_(program.values.size()) {
    for (const Value output : program.outputs) {
      live_[output] = true;
    }
    forest_.resize(program.instructions.size());
    for (size_t i = forest_.size(); i-- > 0;) {
      forest_[i] = decide(*program.instructions[i], /*is_spare=*/false);
    }
  }

  const std::vector<Tree>& forest() const { return forest_; }
  std::vector<bool> take_live() { return std::move(live_); }

 private:
  /// `is_spare`: the instruction is there in case that the one that replaced it does not apply to
  /// the tensors; which of the spare ones apply is asked when they run.
  Tree decide(const Instruction& instruction, bool is_spare) {
    Tree tree{.instruction = &instruction};
    const std::vector<InstructionPtr>& replaced = instruction.replaced();
    tree.runs = writes_live(instruction) &&
                (is_spare || replaced.empty() || (instruction.applies() && suffices(instruction)));
    if (tree.runs) {
      tree.reads = is_spare ? instruction.inputs() : instruction.needed();
      for (const Value value : tree.reads) {
        live_[value] = true;
      }
    }
    if (tree.runs && !is_spare && !instruction.may_refuse()) {
      return tree;
    }
    tree.replaced.resize(replaced.size());
    for (size_t i = replaced.size(); i-- > 0;) {
      tree.replaced[i] = decide(*replaced[i], is_spare || tree.runs);
    }
    return tree;
  }

  bool writes_live(const Instruction& instruction) const {
    const std::vector<Value>& made = instruction.outputs();
    return std::any_of(made.begin(), made.end(), [this](Value value) { return live_[value]; });
  }

  /// Returns whether `by` writes all live values that those it replaced would write.
  bool suffices(const Instruction& by) const { return suffices(by, by.outputs()); }

  bool suffices(const Instruction& by, const std::vector<Value>& written) const {
    return std::all_of(
        by.replaced().begin(), by.replaced().end(), [&](const InstructionPtr& other) {
          return std::all_of(other->outputs().begin(), other->outputs().end(),
                             [&](Value value) {
                               return !live_[value] || std::find(written.begin(), written.end(),
                                                                 value) != written.end();
                             }) &&
                 suffices(*other, written);
        });
  }

  std::vector<bool> live_;
  std::vector<Tree> forest_;
};

struct Item {
  Schedule::Entry entry;
  size_t place;
  std::vector<Value> reads;
  size_t root;  // the item, itself or another, that it stands in for at the last
};

/// Adds what runs of `tree` to `items`. `parent`: the item that those stand in for.
void flatten(const Tree& tree, size_t place, std::optional<size_t> parent,
             std::vector<Item>& items) {
  place = std::max(place, tree.instruction->place());
  if (tree.runs) {
    const size_t root = parent ? items[*parent].root : items.size();
    items.push_back({{tree.instruction, parent}, place, tree.reads, root});
    parent = items.size() - 1;
  }
  for (const Tree& other : tree.replaced) {
    flatten(other, place, parent, items);
  }
}

std::vector<Item> in_order(const std::vector<Tree>& forest) {
  std::vector<Item> items;
  for (const Tree& tree : forest) {
    flatten(tree, 0, std::nullopt, items);
  }
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return items[a].place < items[b].place; });
  std::vector<size_t> position(items.size());
  std::vector<Item> sorted;
  for (const size_t i : order) {
    position[i] = sorted.size();
    sorted.push_back(std::move(items[i]));
    std::optional<size_t>& parent = sorted.back().entry.stands_in_for;
    parent = parent ? std::optional(position[*parent]) : std::nullopt;
  }
  return sorted;
}

}  // namespace

Schedule::Schedule(const Program& program) {
  Liveness liveness(program);
  std::vector<Item> items = in_order(liveness.forest());
  live_ = liveness.take_live();
  std::vector<bool> is_kept(program.values.size());
  for (const Value output : program.outputs) {
    is_kept[output] = true;
  }
  // Per value: the last entry that reads it, and the last reader among the entries with another
  // root than that entry.
  struct Readers {
    std::optional<size_t> last, other;
  };
  std::vector<Readers> readers(program.values.size());
  for (size_t k = items.size(); k-- > 0;) {
    for (const Value value : items[k].reads) {
      auto& [last, other] = readers[value];
      if (is_kept[value]) {
        continue;
      }
      if (!last) {
        last = k;
        items[k].entry.drop.push_back(value);
      } else if (!other && items[*last].root != items[k].root) {
        other = k;
      }
    }
  }
  for (size_t k = 0; k < items.size(); ++k) {
    for (const Value value : items[k].reads) {
      const auto& [last, other] = readers[value];
      const bool is_last_but_for_spare = last && *last > k && items[*last].root == items[k].root &&
                                         !items[k].entry.stands_in_for && other.value_or(0) <= k;
      if (is_last_but_for_spare) {
        items[k].entry.drop_if_run.push_back(value);
      }
    }
    entries_.push_back(std::move(items[k].entry));
  }
}

}  // namespace retia::executor
