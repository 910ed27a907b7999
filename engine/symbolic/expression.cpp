#include "retia/engine/symbolic/expression.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

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
  int64_t n_terms = 1;  // shared operands counted as often as they stand in it

  // Results by node, so that an operand which many formulas share is computed once.
  using Results = std::unordered_map<const Node*, Expression>;
  using Values = std::unordered_map<const Node*, Json>;
  using Ranges = std::unordered_map<const Node*, std::pair<Json, Json>>;

  /// Throws where the expression would have too many terms.
  static Expression made(Node node);
  static Expression at(const Expression& expression, const Architecture& architecture,
                       Results& known);
  /// at(architecture).value(), without the expressions in between; every choice inside is decided.
  static Json value_at(const Expression& expression, const Architecture& architecture,
                       Values& known);
  static Expression labelled(const Expression& expression, const std::string& label,
                             Results& known);
  static std::pair<Json, Json> range(const Expression& expression, Ranges& known);
  static std::vector<Json> bounds(const Expression& expression, Ranges& known);
  /// Calls `visit` with each choice that is not among `seen`.
  template <class Visit>
  static void visit_choices(const Expression& expression, const Visit& visit,
                            std::unordered_set<const Node*>& seen);
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

// The largest number of terms of an expression, shared operands counted as often as they stand in it.
constexpr int64_t kMostTerms = 16'384;
// The largest product of joint decisions and terms that is enumerated.
constexpr int64_t kMostSteps = int64_t{1} << 22;
constexpr int64_t kFewTerms = 32;  // computed again as fast as looked up

bool is_word(const std::string& op) { return std::isalpha(static_cast<unsigned char>(op[0])) != 0; }

/// Calls `visit` with every joint decision of `choices`, of which an expression of `n_terms` is
/// computed; false, without a call, when that takes too long.
template <class Visit>
bool enumerate(const std::map<std::string, int64_t>& choices, int64_t n_terms, const Visit& visit) {
  const int64_t most = std::min(Expression::kMostCombinations, kMostSteps / n_terms);
  int64_t combinations = 1;
  for (const auto& [label, count] : choices) {
    combinations *= count;
    if (combinations > most) {
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
  return Node::made({Node::Kind::Choice, {}, std::move(label), std::move(options), types});
}

Expression Expression::Node::made(Node node) {
  for (const Expression& argument : node.arguments) {
    node.n_terms += argument.node_->n_terms;
  }
  TORCH_CHECK(node.n_terms <= kMostTerms,
              node.kind == Node::Kind::Choice ? "value choice '" : "the formula '", node.name,
              "' would have ", node.n_terms, " terms, more than the ", kMostTerms,
              " that are computed: nest fewer formulas or joins of undecided sizes");
  return Expression(std::make_shared<Node>(std::move(node)));
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
  return Node::made({Node::Kind::Apply, {}, op, std::move(operands), types});
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
  Node::Results known;
  return Node::at(*this, architecture, known);
}

Expression Expression::Node::at(const Expression& expression, const Architecture& architecture,
                                Results& known) {
  const Node& node = *expression.node_;
  if (expression.decided()) {
    return expression;
  }
  if (node.kind == Kind::Choice && architecture.contains(node.name)) {
    return at(expression.chosen(architecture), architecture, known);
  }
  if (const auto found = known.find(&node); found != known.end()) {
    return found->second;
  }
  std::vector<Expression> decided;
  for (const Expression& argument : node.arguments) {
    decided.push_back(at(argument, architecture, known));
    if (expression.is_condition() && decided.front().decided()) {
      // The other branch may have no value.
      return at(node.arguments[decided.front().value() == true ? 1 : 2], architecture, known);
    }
  }
  Expression result = node.kind == Kind::Choice ? choice(node.name, std::move(decided))
                                                : apply(node.name, std::move(decided));
  if (node.n_terms > kFewTerms) {
    known.emplace(&node, result);
  }
  return result;
}

Json Expression::Node::value_at(const Expression& expression, const Architecture& architecture,
                                Values& known) {
  const Node& node = *expression.node_;
  if (expression.decided()) {
    return node.value;
  }
  if (node.kind == Kind::Choice) {
    return value_at(expression.chosen(architecture), architecture, known);
  }
  if (const auto found = known.find(&node); found != known.end()) {
    return found->second;
  }
  const Json first = value_at(node.arguments[0], architecture, known);
  Json result;
  if (expression.is_condition()) {
    result = value_at(node.arguments[first == true ? 1 : 2], architecture, known);
  } else if (node.arguments.size() == 1) {
    result = fold(node.name, first);
  } else {
    const Json second = value_at(node.arguments[1], architecture, known);
    result = type_of(first) == type_of(second)
                 ? fold(node.name, first, second)
                 : apply(node.name, {Expression(first), Expression(second)}).value();
  }
  if (node.n_terms > kFewTerms) {
    known.emplace(&node, result);
  }
  return result;
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
  const auto add = [&](const Architecture& architecture) {
    Node::Values known;
    const Json value = Node::value_at(*this, architecture, known);
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      values.push_back(value);
    }
  };
  TORCH_CHECK(enumerate(choices(), node_->n_terms, add), to_string(), " takes more than ",
              kMostCombinations, " combinations of values: they are not enumerated");
  return values;
}

std::pair<Json, Json> Expression::range() const {
  Node::Ranges known;
  return Node::range(*this, known);
}

std::pair<Json, Json> Expression::Node::range(const Expression& expression, Ranges& known) {
  if (expression.decided()) {
    return {expression.value(), expression.value()};
  }
  const Node* node = expression.node_.get();
  if (const auto found = known.find(node); found != known.end()) {
    return found->second;
  }
  std::vector<Json> corners;
  const auto add = [&](const Architecture& architecture) {
    Values values;
    corners.push_back(value_at(expression, architecture, values));
  };
  if (!enumerate(expression.choices(), node->n_terms, add)) {
    corners = bounds(expression, known);
  }
  for (const Json& corner : corners) {
    TORCH_CHECK(corner.is_number(), expression.to_string(),
                " has no largest value: it is not a number");
  }
  const auto [low, high] = std::minmax_element(corners.begin(), corners.end());
  return known[node] = {*low, *high};
}

std::vector<Json> Expression::bounds() const {
  Node::Ranges known;
  return Node::bounds(*this, known);
}

// Every operator is monotone in each operand, or (modulo) bounded by its divisor's corners.
std::vector<Json> Expression::Node::bounds(const Expression& expression, Ranges& known) {
  const Node& node = *expression.node_;
  TORCH_CHECK(node.types == kNumber, expression.to_string(),
              " has no largest value: it is not a number");
  std::vector<std::vector<Json>> ends;
  for (const Expression& argument : node.arguments) {
    if (!expression.is_condition() || &argument != &node.arguments.front()) {
      const auto [low, high] = range(argument, known);
      ends.push_back({low, high});
    }
  }
  std::vector<Json> corners;
  if (node.kind == Kind::Choice || expression.is_condition()) {
    for (const std::vector<Json>& end : ends) {
      corners.insert(corners.end(), end.begin(), end.end());
    }
    return corners;
  }
  const std::string& op = node.name;
  TORCH_CHECK(!divides(op) || ends[1][0] > 0 || ends[1][1] < 0, expression.to_string(),
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
  const auto count_options = [&found](const Node& choice) {
    const auto count = static_cast<int64_t>(choice.arguments.size());
    const auto [known, is_new] = found.emplace(choice.name, count);
    TORCH_CHECK(known->second == count, "value choice '", choice.name, "' has ", known->second,
                " options in one place and ", count,
                " in another: one label is one decision, rename one of them");
  };
  std::unordered_set<const Node*> seen;
  Node::visit_choices(*this, count_options, seen);
  return found;
}

template <class Visit>
void Expression::Node::visit_choices(const Expression& expression, const Visit& visit,
                                     std::unordered_set<const Node*>& seen) {
  const Node& node = *expression.node_;
  if (expression.decided() || !seen.insert(&node).second) {
    return;
  }
  if (node.kind == Kind::Choice) {
    visit(node);
  }
  for (const Expression& argument : node.arguments) {
    visit_choices(argument, visit, seen);
  }
}

void Expression::visit_choices(const ChoiceVisitor& visit) const {
  const auto name_options = [&visit](const Node& choice) {
    std::vector<std::string> names;
    for (const Expression& option : choice.arguments) {
      names.push_back(option.decided() ? text_of(option.value()) : option.to_string());
    }
    visit(choice.name, names);
  };
  std::unordered_set<const Node*> seen;
  Node::visit_choices(*this, name_options, seen);
}

Expression Expression::labelled(const std::string& label) const {
  Node::Results known;
  return Node::labelled(*this, label, known);
}

Expression Expression::Node::labelled(const Expression& expression, const std::string& label,
                                      Results& known) {
  const Node& node = *expression.node_;
  if (expression.decided()) {
    return expression;
  }
  if (const auto found = known.find(&node); found != known.end()) {
    return found->second;
  }
  std::vector<Expression> arguments;
  for (const Expression& argument : node.arguments) {
    arguments.push_back(labelled(argument, label, known));
  }
  const std::string& name = node.name;
  Expression result = node.kind == Kind::Choice
                          ? choice(name.empty() ? label : name, std::move(arguments))
                          : apply(name, std::move(arguments));
  known.emplace(&node, result);
  return result;
}

bool always_equal(const Expression& a, const Expression& b) {
  if (a == b) {
    return true;
  }
  std::map<std::string, int64_t> choices = a.choices();
  choices.merge(b.choices());
  bool equal = true;
  const int64_t n_terms = a.node_->n_terms + b.node_->n_terms;
  const bool enumerable = enumerate(choices, n_terms, [&](const Architecture& architecture) {
    Expression::Node::Values of_a, of_b;
    equal = equal && Expression::Node::value_at(a, architecture, of_a) ==
                         Expression::Node::value_at(b, architecture, of_b);
  });
  return enumerable && equal;
}

bool operator==(const Expression& a, const Expression& b) {
  return a.node_ == b.node_ ||
         (a.node_->kind == b.node_->kind && a.node_->n_terms == b.node_->n_terms &&
          a.node_->value == b.node_->value && a.node_->name == b.node_->name &&
          a.node_->arguments == b.node_->arguments);
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
