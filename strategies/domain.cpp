#include "retia/strategies/domain.h"

#include "retia/engine/mutables/uniform_sample.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {

struct Domain::Contents {
  ir::Space space;
  ir::Filter admits;
};

Domain::Domain(ir::Space space, ir::Filter admits)
    : contents_(std::make_shared<Contents>(Contents{std::move(space), std::move(admits)})) {}

Domain::Domain(ir::Graph space) : Domain(ir::Space(std::move(space))) {}

const std::vector<Mutable>& Domain::mutables() const { return contents_->space.mutables(); }

Architecture Domain::form(const Architecture& architecture) const {
  return contents_->space.find_canonical(architecture).value_or(architecture);
}

bool Domain::admits(const Architecture& form) const {
  return !contents_->admits || contents_->admits(form);
}

Architecture Domain::sample(Random& random) const { return sample_uniformly(mutables(), random); }

Architecture Domain::mutated(const Architecture& parent, double probability, Random& random) const {
  Architecture child;
  for (const Mutable& choice : mutables()) {
    const bool kept = random.uniform() >= probability && parent.contains(choice.label);
    child[choice.label] = kept ? parent.at(choice.label) : sample_uniformly(choice, random);
  }
  return child;
}

Architecture Domain::crossed(const Architecture& a, const Architecture& b, Random& random) const {
  Architecture child;
  for (const Mutable& choice : mutables()) {
    const bool first = random.below(2) == 0;
    const Architecture& preferred = first ? a : b;
    const Architecture& other = first ? b : a;
    child[choice.label] = preferred.contains(choice.label) ? preferred.at(choice.label)
                          : other.contains(choice.label)   ? other.at(choice.label)
                                                           : sample_uniformly(choice, random);
  }
  return child;
}

Json Domain::to_json(const Architecture& architecture) const {
  return choices_to_json(architecture, mutables());
}

Architecture Domain::from_json(const Json& json) const {
  return choices_from_json(json, mutables());
}

}  // namespace retia
