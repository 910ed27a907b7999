#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/architecture.h"
#include "engine/json.h"

namespace retia::ir {

/// A scalar (integer, double, bool or text), or a formula over value choices that becomes one when
/// an architecture decides them. An immutable value: copies are cheap, operands are shared.
class Expression {
 public:
  /// A constant. Throws unless `value` is a JSON scalar; integers have 64 bits and a sign.
  explicit Expression(Json value = 0);

  /// A value choice: one of `options` as `label` decides. Options may be expressions themselves. An
  /// empty label is filled in by the builder with the path of the parameter.
  static Expression choice(std::string label, std::vector<Expression> options);

  /// `op` is one of + - * / // % min max (two numbers), round floor ceil int float (a number, of
  /// the last two also a bool), < <= > >= (two numbers), == != (two values of one type), or if
  /// (condition, value where it holds, value where not; the other is not evaluated). // and % round
  /// towards minus infinity, round to the nearest, halves to the even one, int towards zero; all
  /// four and ceil give integers. Throws on operands of other types, decided or not, on a division
  /// by zero when that is decided, and on integers beyond 64 bits.
  static Expression apply(const std::string& op, std::vector<Expression> operands);

  /// Whether no choice is left.
  bool decided() const;

  /// The constant. Throws, naming the first choice, while undecided.
  const Json& value() const;

  /// With the choices that `architecture` decides replaced by what they chose, and folded.
  Expression at(const Architecture& architecture) const;

  /// Every value that it can take, each once, in the order of enumeration. Labels are enumerated
  /// once each. Throws above `kMostCombinations` combinations.
  std::vector<Json> options() const;

  /// Smallest and largest value that it can take: by enumeration or, above `kMostCombinations`
  /// combinations, bounds by interval arithmetic. Throws unless numeric, and where bounds would
  /// need to divide by zero.
  std::pair<Json, Json> range() const;

  /// The labels that decide its value under `architecture`: not those of options that are not
  /// chosen. Throws where one of them is undecided.
  std::set<std::string> reached(const Architecture& architecture) const;

  /// Label -> number of options, of all choices inside. Throws where one label has two numbers.
  std::map<std::string, int64_t> choices() const;

  /// Calls `visit(label, options as text)` for each choice inside, outer before inner.
  using ChoiceVisitor =
      std::function<void(const std::string& label, const std::vector<std::string>& names)>;
  void visit_choices(const ChoiceVisitor& visit) const;

  /// With empty labels replaced by `label`.
  Expression labelled(const std::string& label) const;

  /// The same formula, or equal for every decision of the labels in both (where enumerable).
  friend bool always_equal(const Expression& a, const Expression& b);

  /// Structural equality.
  friend bool operator==(const Expression& a, const Expression& b);

  /// `64`, or `{"choice": "width", "options": [64, 128]}`, or `{"op": "*", "operands": [...]}`.
  friend void to_json(Json& json, const Expression& expression);
  friend void from_json(const Json& json, Expression& expression);

  /// `64`, `width{64,128}`, `(width{64,128} * 2)`, `max(width{64,128}, 96)`.
  std::string to_string() const;

  static constexpr int64_t kMostCombinations = 4096;

 private:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

  /// What the operator gives of operands of such types; throws where it takes no such operands.
  static unsigned result_types(const std::string& op, const std::vector<Expression>& operands);

  /// Of a choice: the option that `architecture` decides for.
  const Expression& chosen(const Architecture& architecture) const;

  bool is_condition() const;

  /// Values that enclose all it can take, by interval arithmetic.
  std::vector<Json> bounds() const;

  std::shared_ptr<const Node> node_;
};

bool always_equal(const Expression& a, const Expression& b);

/// Whether `json` is the written form of an expression that is not a constant.
bool is_symbolic(const Json& json);

}  // namespace retia::ir
