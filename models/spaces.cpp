#include "models/spaces.h"

#include "engine/suggest.h"
#include "models/darts_cnn.h"
#include "models/spos_chain.h"
#include "models/tiny.h"

namespace retia {

ir::Graph SpaceTable::search(const std::string& name, const Json& options, const Task& task) const {
  return space(name).search.build(options, task);
}

ir::Graph SpaceTable::evaluation(const std::string& name, const Json& options,
                                 const Task& task) const {
  return space(name).evaluation.build(options, task);
}

const Json& SpaceTable::search_options(const std::string& name) const {
  return space(name).search.defaults;
}

const Json& SpaceTable::evaluation_options(const std::string& name) const {
  return space(name).evaluation.defaults;
}

std::vector<std::string> SpaceTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, space] : spaces_) {
    names.push_back(name);
  }
  return names;
}

void SpaceTable::insert(const std::string& name, Space space) {
  TORCH_CHECK(spaces_.emplace(name, std::move(space)).second, "space '", name,
              "' is in the table already: give the new one another name");
}

const SpaceTable::Space& SpaceTable::space(const std::string& name) const {
  const auto found = spaces_.find(name);
  TORCH_CHECK(found != spaces_.end(), "unknown space '", name, "'", suggestion(name, names()));
  return found->second;
}

SpaceTable standard_spaces() {
  SpaceTable spaces;
  spaces.add("darts_cnn", &darts_cnn, &darts_cnn_evaluation);
  spaces.add("spos_chain", &spos_chain);
  spaces.add("tiny", &tiny);
  return spaces;
}

}  // namespace retia
