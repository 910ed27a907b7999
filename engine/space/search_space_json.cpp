#include "retia/engine/space/search_space_json.h"

#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

/// The candidates of a choice of one as an architecture names them.
Json values(const Mutable& choice) {
  Json values = Json::array();
  for (int64_t k = 0; k < choice.n_candidates(); ++k) {
    const Json written = choices_to_json({{choice.label, {{k}}}}, {choice}).at(choice.label);
    values.push_back(written.is_object() ? written.at("_value") : written);
  }
  return values;
}

Json entry_of(const Mutable& choice) {
  switch (choice.kind) {
    case MutableKind::LayerChoice:
      return {{"_type", "layer_choice"}, {"_value", choice.names}};
    case MutableKind::ValueChoice:
      return {{"_type", "choice"}, {"_value", values(choice)}};
    default:
      return {{"_type", "input_choice"},
              {"_value",
               {{"candidates", choice.names},
                {"n_chosen", choice.n_chosen ? Json(*choice.n_chosen) : Json()}}}};
  }
}

}  // namespace

Json search_space_to_json(const std::vector<Mutable>& mutables) {
  Json json = Json::object();
  for (const Mutable& choice : mutables) {
    json[choice.label] = entry_of(choice);
  }
  return json;
}

}  // namespace retia
