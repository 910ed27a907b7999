#include "retia/engine/operations/operation.h"

#include <c10/util/Exception.h>

namespace retia::ir {
namespace {

/// Returns `json` with every expression in it replaced by change(expression).
template <class Change>
Json mapped(const Json& json, const std::string& path, const Change& change) {
  if (is_symbolic(json)) {
    return change(json.get<Expression>(), path);
  }
  if (!json.is_structured()) {
    return json;
  }
  Json result = json;
  for (const auto& [key, value] : json.items()) {
    const Json changed = mapped(value, path + "/" + key, change);
    if (json.is_array()) {
      result[std::stoul(key)] = changed;
    } else {
      result[key] = changed;
    }
  }
  return result;
}

}  // namespace

Operation::Operation(std::shared_ptr<const OperationKind> kind, const Json& parameters)
    : kind_(std::move(kind)), parameters_(kind_->complete(parameters)) {}

const std::string& Operation::type() const { return kind_->type(); }

Operation Operation::with(const Json& changes) const {
  Json parameters = parameters_;
  parameters.update(changes);
  return {kind_, parameters};
}

Operation Operation::at(const Architecture& architecture) const {
  Operation result = *this;
  result.parameters_ = ir::decided(parameters_, architecture);
  return result;
}

Json decided(const Json& parameters, const Architecture& architecture) {
  return mapped(parameters, "", [&](const Expression& expression, const std::string&) -> Json {
    return expression.at(architecture);
  });
}

Operation Operation::labelled(const std::string& prefix) const {
  Operation result = *this;
  result.parameters_ = mapped(parameters_, prefix,
                              [](const Expression& expression, const std::string& path) -> Json {
                                return expression.labelled(path);
                              });
  return result;
}

void Operation::visit_choices(const Expression::ChoiceVisitor& visit) const {
  ir::visit_choices(parameters_, visit);
}

void visit_choices(const Json& parameters, const Expression::ChoiceVisitor& visit) {
  mapped(parameters, "", [&visit](const Expression& expression, const std::string&) -> Json {
    expression.visit_choices(visit);
    return nullptr;
  });
}

std::set<std::string> Operation::reached(const Architecture& architecture) const {
  return ir::reached(parameters_, architecture);
}

Architecture Operation::canonical(const Architecture& architecture) const {
  return kind_->canonical(parameters_, architecture);
}

std::optional<Operation> Operation::stacked(const std::vector<Shape>& inputs, int64_t n) const {
  return kind_->stacked(*this, inputs, n);
}

std::optional<Operation> Operation::widened(const std::vector<Shape>& inputs, int64_t n) const {
  return kind_->widened(*this, inputs, n);
}

std::set<std::string> reached(const Json& parameters, const Architecture& architecture) {
  std::set<std::string> labels;
  mapped(parameters, "", [&](const Expression& expression, const std::string&) -> Json {
    labels.merge(expression.reached(architecture));
    return nullptr;
  });
  return labels;
}

bool operator==(const Operation& a, const Operation& b) {
  return a.type() == b.type() && a.parameters_ == b.parameters_;
}

Architecture OperationKind::canonical(const Json& parameters,
                                      const Architecture& architecture) const {
  Architecture result;
  for (const std::string& label : reached(parameters, architecture)) {
    result[label] = architecture.at(label);
  }
  return result;
}

std::optional<std::vector<ChannelRange>> OperationKind::passed_on(const Json&,
                                                                  const std::vector<Shape>&) const {
  return std::nullopt;
}

std::optional<Operation> OperationKind::stacked(const Operation& one, const std::vector<Shape>&,
                                                int64_t) const {
  return treats_channels_alike() ? std::optional(one) : std::nullopt;
}

std::optional<Operation> OperationKind::widened(const Operation&, const std::vector<Shape>&,
                                                int64_t) const {
  return std::nullopt;
}

std::shared_ptr<const Graph> OperationKind::expand(const Json&, const std::vector<Shape>&) const {
  return nullptr;
}

std::optional<std::string> OperationKind::obstacle(const Json&, const Architecture&) const {
  return std::nullopt;
}

Cost OperationKind::cost(const Json&, const std::vector<Shape>&) const {
  TORCH_INTERNAL_ASSERT(false, type(), " is a composite: lower the graph first");
}

std::shared_ptr<Layer> OperationKind::make(const Json&, const std::vector<Shape>&) const {
  TORCH_INTERNAL_ASSERT(false, type(), " is a composite: lower the graph first");
}

}  // namespace retia::ir
