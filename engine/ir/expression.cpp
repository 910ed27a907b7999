#include "engine/ir/expression.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace retia::ir {

struct Expression::Node {
  enum class Kind { Constant, Choice, Apply };
  Kind kind = Kind::Constant;
  Json value;                         // of a constant
  std::string name;                   // label of a choice, operator of an application
  std::vector<Expression> arguments;  // options of a choice, operands of an application
};

namespace {

int64_t fold_integers(const std::string& op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflows = false;
  if (op == "+") {
    overflows = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflows = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflows = __builtin_mul_overflow(a, b, &result);
  } else if (b == -1) {  // the processor cannot divide the smallest integer by it
    overflows = op == "//" && __builtin_sub_overflow(int64_t{0}, a, &result);
  } else {
    const bool rounds_up = a % b != 0 && (a < 0) != (b < 0);
    result = op == "//" ? a / b - (rounds_up ? 1 : 0) : a % b + (rounds_up ? b : 0);
  }
  TORCH_CHECK(!overflows, a, " ", op, " ", b, " does not fit into 64 bits");
  return result;
}

Json fold(const std::string& op, const Json& a, const Json& b) {
  TORCH_CHECK(a.is_number() && b.is_number(), "operator ", op, " needs two numbers, got ", a.dump(),
              " and ", b.dump());
  if (op == "min") {
    return b < a ? b : a;
  }
  if (op == "max") {
    return a < b ? b : a;
  }
  const bool divides = op == "/" || op == "//" || op == "%";
  TORCH_CHECK(!divides || b.get<double>() != 0, "division of ", a.dump(), " by zero");
  if (op == "/") {
    return a.get<double>() / b.get<double>();
  }
  if (a.is_number_integer() && b.is_number_integer()) {
    return fold_integers(op, a.get<int64_t>(), b.get<int64_t>());
  }
  const auto x = a.get<double>();
  const auto y = b.get<double>();
  if (op == "+") return x + y;
  if (op == "-") return x - y;
  if (op == "*") return x * y;
  return op == "//" ? std::floor(x / y) : x - y * std::floor(x / y);
}

const std::vector<std::string>& operators() {
  static const std::vector<std::string> all = {"+", "-", "*", "/", "//", "%", "min", "max"};
  return all;
}

/// Calls `visit` with every joint decision of `choices`; false, without a call, when they are too
/// many.
template <class Visit>
bool enumerate(const std::map<std::string, int64_t>& choices, const Visit& visit) {
  int64_t combinations = 1;
  for (const auto& [label, count] : choices) {
    combinations *= count;
    if (combinations > Expression::kMostCombinations) {
      return false;
    }
  }
  for (int64_t i = 0; i < combinations; ++i) {
    Architecture architecture;
    int64_t rest = i;
    for (const auto& [label, count] : choices) {
      architecture[label] = {{rest % count}};
      rest /= count;
    }
    visit(architecture);
  }
  return true;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Expression::Expression(Json value) {
  TORCH_CHECK(value.is_primitive() && !value.is_null(), "expected a number, a bool or a text, got ",
              value.dump());
  if (value.is_number_unsigned()) {
    TORCH_CHECK(value.get<uint64_t>() <= std::numeric_limits<int64_t>::max(), value.dump(),
                " does not fit into 64 bits with a sign");
    value = value.get<int64_t>();
  }
  node_ = std::make_shared<Node>(Node{Node::Kind::Constant, std::move(value), {}, {}});
}

Expression Expression::choice(std::string label, std::vector<Expression> options) {
  TORCH_CHECK(!options.empty(), "value choice '", label, "' needs at least one option");
  return Expression(
      std::make_shared<Node>(Node{Node::Kind::Choice, {}, std::move(label), std::move(options)}));
}

Expression Expression::apply(const std::string& op, std::vector<Expression> operands) {
  TORCH_CHECK(std::find(operators().begin(), operators().end(), op) != operators().end(),
              "unknown operator '", op, "' of an expression: expected one of + - * / // % min max");
  TORCH_CHECK(operands.size() == 2, "operator ", op, " needs two operands, got ", operands.size());
  if (operands[0].decided() && operands[1].decided()) {
    return Expression(fold(op, operands[0].value(), operands[1].value()));
  }
  return Expression(std::make_shared<Node>(Node{Node::Kind::Apply, {}, op, std::move(operands)}));
}

bool Expression::decided() const { return node_->kind == Node::Kind::Constant; }

const Json& Expression::value() const {
  TORCH_CHECK(decided(), to_string(), " is not decided yet: freeze the graph with an architecture");
  return node_->value;
}

Expression Expression::at(const Architecture& architecture) const {
  if (decided()) {
    return *this;
  }
  if (node_->kind == Node::Kind::Choice && architecture.contains(node_->name)) {
    return chosen(architecture).at(architecture);
  }
  std::vector<Expression> arguments;
  for (const Expression& argument : node_->arguments) {
    arguments.push_back(argument.at(architecture));
  }
  return node_->kind == Node::Kind::Choice ? choice(node_->name, std::move(arguments))
                                           : apply(node_->name, std::move(arguments));
}

const Expression& Expression::chosen(const Architecture& architecture) const {
  const Decision& decision = architecture.at(node_->name);
  TORCH_CHECK(decision.chosen.size() == 1, "value choice '", node_->name,
              "' needs one chosen option, got ", decision.chosen.size());
  const int64_t index = decision.chosen.front();
  TORCH_CHECK(index >= 0 && index < static_cast<int64_t>(node_->arguments.size()), "value choice '",
              node_->name, "': index ", index, " is outside its ", node_->arguments.size(),
              " options");
  return node_->arguments[static_cast<size_t>(index)];
}

std::set<std::string> Expression::reached(const Architecture& architecture) const {
  if (node_->kind == Node::Kind::Choice) {
    std::set<std::string> labels = chosen(architecture).reached(architecture);
    labels.insert(node_->name);
    return labels;
  }
  std::set<std::string> labels;
  for (const Expression& argument : node_->arguments) {
    labels.merge(argument.reached(architecture));
  }
  return labels;
}

std::vector<Json> Expression::options() const {
  std::vector<Json> values;
  const bool enumerable = enumerate(choices(), [&](const Architecture& architecture) {
    const Json value = at(architecture).value();
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      values.push_back(value);
    }
  });
  TORCH_CHECK(enumerable, to_string(), " takes more than ", kMostCombinations,
              " combinations of values: they are not enumerated");
  return values;
}

std::pair<Json, Json> Expression::range() const {
  if (decided()) {
    return {value(), value()};
  }
  std::vector<Json> corners;
  const bool enumerable = enumerate(choices(), [&](const Architecture& architecture) {
    corners.push_back(at(architecture).value());
  });
  if (!enumerable) {
    corners.clear();
    std::vector<std::pair<Json, Json>> ranges;
    for (const Expression& argument : node_->arguments) {
      ranges.push_back(argument.range());
    }
    if (node_->kind == Node::Kind::Choice) {
      for (const auto& [low, high] : ranges) {
        corners.insert(corners.end(), {low, high});
      }
    } else {
      const bool divides = node_->name == "/" || node_->name == "//" || node_->name == "%";
      TORCH_CHECK(!divides || ranges[1].first > 0 || ranges[1].second < 0, to_string(),
                  " has no bounds: its divisor may be zero");
      // Every operator is monotone in each operand, or (modulo) bounded by its divisor's corners.
      for (const Json& a : {ranges[0].first, ranges[0].second}) {
        for (const Json& b : {ranges[1].first, ranges[1].second}) {
          corners.push_back(node_->name == "%" ? b : fold(node_->name, a, b));
        }
      }
      if (node_->name == "%") {
        corners.push_back(0);
      }
    }
  }
  for (const Json& corner : corners) {
    TORCH_CHECK(corner.is_number(), to_string(), " has no largest value: it is not a number");
  }
  const auto [low, high] = std::minmax_element(corners.begin(), corners.end());
  return {*low, *high};
}

std::map<std::string, int64_t> Expression::choices() const {
  std::map<std::string, int64_t> found;
  visit_choices([&found](const std::string& label, const std::vector<std::string>& names) {
    found[label] = static_cast<int64_t>(names.size());
  });
  return found;
}

void Expression::visit_choices(const ChoiceVisitor& visit) const {
  if (node_->kind == Node::Kind::Choice) {
    std::vector<std::string> names;
    for (const Expression& option : node_->arguments) {
      names.push_back(option.decided() ? text_of(option.value()) : option.to_string());
    }
    visit(node_->name, names);
  }
  for (const Expression& argument : node_->arguments) {
    argument.visit_choices(visit);
  }
}

Expression Expression::labelled(const std::string& label) const {
  if (decided()) {
    return *this;
  }
  std::vector<Expression> arguments;
  for (const Expression& argument : node_->arguments) {
    arguments.push_back(argument.labelled(label));
  }
  return node_->kind == Node::Kind::Choice
             ? choice(node_->name.empty() ? label : node_->name, std::move(arguments))
             : apply(node_->name, std::move(arguments));
}

bool always_equal(const Expression& a, const Expression& b) {
  if (a == b) {
    return true;
  }
  std::map<std::string, int64_t> choices = a.choices();
  choices.merge(b.choices());
  bool equal = true;
  const bool enumerable = enumerate(choices, [&](const Architecture& architecture) {
    equal = equal && a.at(architecture).value() == b.at(architecture).value();
  });
  return enumerable && equal;
}

bool operator==(const Expression& a, const Expression& b) {
  return a.node_ == b.node_ ||
         (a.node_->kind == b.node_->kind && a.node_->value == b.node_->value &&
          a.node_->name == b.node_->name && a.node_->arguments == b.node_->arguments);
}

void to_json(Json& json, const Expression& expression) {
  const Expression::Node& node = *expression.node_;
  switch (node.kind) {
    case Expression::Node::Kind::Constant:
      json = node.value;
      return;
    case Expression::Node::Kind::Choice:
      json = {{"choice", node.name}, {"options", node.arguments}};
      return;
    case Expression::Node::Kind::Apply:
      json = {{"op", node.name}, {"operands", node.arguments}};
      return;
  }
}

void from_json(const Json& json, Expression& expression) {
  if (!is_symbolic(json)) {
    expression = Expression(json);
    return;
  }
  const bool is_choice = json.contains("choice");
  const char* list = is_choice ? "options" : "operands";
  TORCH_CHECK(json.size() == 2 && json.contains(list) && json.at(list).is_array() &&
                  json.at(is_choice ? "choice" : "op").is_string(),
              "expected an expression like {\"choice\": \"width\", \"options\": [64, 128]} or "
              "{\"op\": \"*\", \"operands\": [2, 3]}, got ",
              json.dump());
  auto arguments = json.at(list).get<std::vector<Expression>>();
  expression = is_choice ? Expression::choice(json.at("choice"), std::move(arguments))
                         : Expression::apply(json.at("op"), std::move(arguments));
}

std::string Expression::to_string() const {
  if (decided()) {
    return text_of(node_->value);
  }
  const bool is_choice = node_->kind == Node::Kind::Choice;
  std::string text;
  for (const Expression& argument : node_->arguments) {
    const std::string separator = is_choice ? "," : " " + node_->name + " ";
    text += (text.empty() ? "" : separator) + argument.to_string();
  }
  return is_choice ? node_->name + "{" + text + "}" : "(" + text + ")";
}

bool is_symbolic(const Json& json) {
  return json.is_object() && (json.contains("choice") || json.contains("op"));
}

}  // namespace retia::ir
