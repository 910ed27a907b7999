#include "retia/engine/symbolic/expression.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

namespace retia::ir {

namespace {

/// The possible types of a value, as bits; for an expression all types that it may take.
enum Type : unsigned { kBool = 1, kNumber = 2, kText = 4 };

unsigned type_of(const Json& value) {
  return value.is_boolean() ? kBool : value.is_number() ? kNumber : kText;
}

}  // namespace

struct Expression::Node {
  enum class Kind { Constant, Choice, Apply };
  Kind kind = Kind::Constant;
  Json value;                         // of a constant
  std::string name;                   // label of a choice, operator of an application
  std::vector<Expression> arguments;  // options of a choice, operands of an application
  unsigned types = kNumber;
};

namespace {

int64_t fold_integers(const std::string& op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflows = false;
  if (op == "+" || op == "++") {
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

/// `value`, which is whole, as an integer.
int64_t whole(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  TORCH_CHECK(value >= -kLimit && value < kLimit, value, " does not fit into 64 bits");
  return static_cast<int64_t>(value);
}

Json fold(const std::string& op, const Json& a) {
  const Json number = a.is_boolean() ? Json(a == true ? 1 : 0) : a;
  if (op == "float") {
    return number.get<double>();
  }
  if (number.is_number_integer()) {
    return number;
  }
  const auto x = number.get<double>();
  if (op == "round") return whole(std::nearbyint(x));
  if (op == "floor") return whole(std::floor(x));
  return whole(op == "ceil" ? std::ceil(x) : std::trunc(x));
}

Json fold(const std::string& op, const Json& a, const Json& b) {
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  if (op == ">=") return a >= b;
  if (op == "min") return b < a ? b : a;
  if (op == "max") return a < b ? b : a;
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
  if (op == "+" || op == "++") return x + y;
  if (op == "-") return x - y;
  if (op == "*") return x * y;
  return op == "//" ? std::floor(x / y) : x - y * std::floor(x / y);
}

/// Operator -> how many operands it takes.
const std::map<std::string, size_t>& operators() {
  static const std::map<std::string, size_t> all = {
      {"+", 2},  {"-", 2},   {"*", 2},   {"/", 2},     {"//", 2},    {"%", 2},     {"min", 2},
      {"++", 2}, {"max", 2}, {"<", 2},   {"<=", 2},    {">", 2},     {">=", 2},    {"==", 2},
      {"!=", 2}, {"if", 3},  {"int", 1}, {"float", 1}, {"round", 1}, {"floor", 1}, {"ceil", 1}};
  return all;
}

bool compares(const std::string& op) {
  return op == "==" || op == "!=" || op == "<" || op == "<=" || op == ">" || op == ">=";
}

bool divides(const std::string& op) { return op == "/" || op == "//" || op == "%"; }

bool is_word(const std::string& op) { return std::isalpha(static_cast<unsigned char>(op[0])) != 0; }

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
  const unsigned types = type_of(value);
  node_ = std::make_shared<Node>(Node{Node::Kind::Constant, std::move(value), {}, {}, types});
}

Expression Expression::choice(std::string label, std::vector<Expression> options) {
  TORCH_CHECK(!options.empty(), "value choice '", label, "' needs at least one option");
  unsigned types = 0;
  for (const Expression& option : options) {
    types |= option.node_->types;
  }
  return Expression(std::make_shared<Node>(
      Node{Node::Kind::Choice, {}, std::move(label), std::move(options), types}));
}

Expression Expression::apply(const std::string& op, std::vector<Expression> operands) {
  const auto known = operators().find(op);
  TORCH_CHECK(known != operators().end(), "unknown operator '", op,
              "' of an expression: expected one of + - * / // % min max round floor ceil int float "
              "< <= > >= == != if ++");
  const size_t n = known->second;
  TORCH_CHECK(operands.size() == n, "operator ", op, " needs ",
              n == 1   ? "one operand"
              : n == 2 ? "two operands"
                       : "three operands",
              ", got ", operands.size());
  const unsigned types = result_types(op, operands);
  if (op == "if" && operands[0].decided()) {
    return operands[operands[0].value() == true ? 1 : 2];
  }
  if (op != "if" && std::all_of(operands.begin(), operands.end(),
                                [](const Expression& operand) { return operand.decided(); })) {
    return Expression(n == 1 ? fold(op, operands[0].value())
                             : fold(op, operands[0].value(), operands[1].value()));
  }
  TORCH_CHECK(!divides(op) || !operands[1].decided() || operands[1].value() != 0, "division of ",
              operands[0].to_string(), " by zero");
  return Expression(
      std::make_shared<Node>(Node{Node::Kind::Apply, {}, op, std::move(operands), types}));
}

unsigned Expression::result_types(const std::string& op, const std::vector<Expression>& operands) {
  const auto types = [&](size_t i) { return operands[i].node_->types; };
  const auto shown = [&](size_t i) { return operands[i].to_string(); };
  if (op == "if") {
    TORCH_CHECK(types(0) == kBool, "if needs a condition that is true or false, got ", shown(0));
    return types(1) | types(2);
  }
  if (operands.size() == 1) {
    const bool takes_bool = op == "int" || op == "float";
    TORCH_CHECK(types(0) == kNumber || (takes_bool && types(0) == kBool), "operator ", op,
                " needs a number, got ", shown(0));
    return kNumber;
  }
  if (op == "==" || op == "!=") {
    TORCH_CHECK((types(0) & types(1)) != 0, "operator ", op, " needs two values of one type, got ",
                shown(0), " and ", shown(1));
    return kBool;
  }
  TORCH_CHECK(types(0) == kNumber && types(1) == kNumber, "operator ", op,
              " needs two numbers, got ", shown(0), " and ", shown(1));
  return compares(op) ? kBool : kNumber;
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
    if (is_condition() && arguments.front().decided()) {  // the other branch may have no value
      return node_->arguments[arguments.front().value() == true ? 1 : 2].at(architecture);
    }
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
    if (is_condition()) {
      const bool holds = argument.at(architecture).value() == true;
      labels.merge(node_->arguments[holds ? 1 : 2].reached(architecture));
      break;
    }
  }
  return labels;
}

bool Expression::is_condition() const {
  return node_->kind == Node::Kind::Apply && node_->name == "if";
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
    corners = bounds();
  }
  for (const Json& corner : corners) {
    TORCH_CHECK(corner.is_number(), to_string(), " has no largest value: it is not a number");
  }
  const auto [low, high] = std::minmax_element(corners.begin(), corners.end());
  return {*low, *high};
}

// Every operator is monotone in each operand, or (modulo) bounded by its divisor's corners.
std::vector<Json> Expression::bounds() const {
  TORCH_CHECK(node_->types == kNumber, to_string(), " has no largest value: it is not a number");
  std::vector<std::vector<Json>> ends;
  for (const Expression& argument : node_->arguments) {
    if (!is_condition() || &argument != &node_->arguments.front()) {
      const auto [low, high] = argument.range();
      ends.push_back({low, high});
    }
  }
  std::vector<Json> corners;
  if (node_->kind == Node::Kind::Choice || is_condition()) {
    for (const std::vector<Json>& end : ends) {
      corners.insert(corners.end(), end.begin(), end.end());
    }
    return corners;
  }
  const std::string& op = node_->name;
  TORCH_CHECK(!divides(op) || ends[1][0] > 0 || ends[1][1] < 0, to_string(),
              " has no bounds: its divisor may be zero");
  for (const Json& a : ends[0]) {
    if (ends.size() == 1) {
      corners.push_back(fold(op, a));
      continue;
    }
    for (const Json& b : ends[1]) {
      corners.push_back(op == "%" ? b : fold(op, a, b));
    }
  }
  if (op == "%") {
    corners.push_back(0);
  }
  return corners;
}

std::map<std::string, int64_t> Expression::choices() const {
  std::map<std::string, int64_t> found;
  visit_choices([&found](const std::string& label, const std::vector<std::string>& names) {
    const auto count = static_cast<int64_t>(names.size());
    const auto [known, is_new] = found.emplace(label, count);
    TORCH_CHECK(known->second == count, "value choice '", label, "' has ", known->second,
                " options in one place and ", count,
                " in another: one label is one decision, rename one of them");
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
  const std::string& name = node_->name;
  const std::string separator = is_choice ? "," : is_word(name) ? ", " : " " + name + " ";
  std::string text;
  for (const Expression& argument : node_->arguments) {
    text += (text.empty() ? "" : separator) + argument.to_string();
  }
  if (is_choice) {
    return name + "{" + text + "}";
  }
  return (is_word(name) ? name : "") + "(" + text + ")";
}

bool is_symbolic(const Json& json) {
  return json.is_object() && (json.contains("choice") || json.contains("op"));
}

}  // namespace retia::ir
