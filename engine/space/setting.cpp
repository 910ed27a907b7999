#include "retia/engine/space/setting.h"

#include "retia/engine/ir/graph.h"

namespace retia::ir {
namespace {

void collect(const Json& options, const std::string& path, std::vector<Setting>& found) {
  if (is_symbolic(options)) {
    in_context(path, [&] {
      Expression value = options.get<Expression>();
      value.visit_choices([&](const std::string& label, const auto&) {
        TORCH_CHECK(!label.empty(),
                    "expected a label for its choice, as in {\"choice\": \"lr\", "
                    "\"options\": [0.1, 0.05]}, but it is empty");
      });
      if (!value.decided()) {
        found.push_back({path, std::move(value)});
      }
    });
    return;
  }
  if (options.is_structured()) {
    for (const auto& [key, value] : options.items()) {
      collect(value, path + "." + key, found);
    }
  }
}

}  // namespace

std::vector<Setting> settings_in(const Json& options, const std::string& path) {
  std::vector<Setting> found;
  collect(options, path, found);
  return found;
}

void add_mutables(std::vector<Mutable>& mutables, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    in_context(setting.path, [&] {
      setting.value.visit_choices(
          [&](const std::string& label, const std::vector<std::string>& names) {
            add_mutable(mutables, {.label = label,
                                   .kind = MutableKind::ValueChoice,
                                   .names = names,
                                   .scope = setting.path});
          });
    });
  }
}

bool is_setting(const Mutable& choice) { return choice.scope.find('.') != std::string::npos; }

}  // namespace retia::ir
