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

  /// `op` is one of + - * / // % min max; // and % round towards minus infinity. Throws where the
  /// result is no number or no integer of 64 bits.
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

  /// Label -> number of options, of all choices inside.
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

  /// `64`, `width{64,128}`, `(width{64,128} * 2)`.
  std::string to_string() const;

  static constexpr int64_t kMostCombinations = 4096;

 private:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

  /// Of a choice: the option that `architecture` decides for.
  const Expression& chosen(const Architecture& architecture) const;

  std::shared_ptr<const Node> node_;
};

bool always_equal(const Expression& a, const Expression& b);

/// Whether `json` is the written form of an expression that is not a constant.
bool is_symbolic(const Json& json);

}  // namespace retia::ir
