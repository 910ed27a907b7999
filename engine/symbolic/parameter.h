#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retia/engine/symbolic/expression.h"

namespace retia::ir {

/// Whether every value of type Given converts to T without loss: no fraction is cut off, and no
/// bool becomes a number or the reverse.
template <class Given, class T>
concept LosslessFor = std::is_convertible_v<Given, T> && std::is_same_v<Given, bool>
== std::is_same_v<T, bool> && (!std::is_same_v<T, int64_t> || std::is_integral_v<Given>);

/// An option of an operation: a T, or an expression over value choices that becomes a T. T is
/// int64_t, double, bool or std::string.
template <class T>
class Parameter {
 public:
  Parameter() : Parameter(T{}) {}
  /// Makes a decided parameter.
  template <LosslessFor<T> Given>
  Parameter(Given value) : expression_(Json(static_cast<T>(value))) {}
  /// Makes a parameter that a value choice or a formula decides.
  Parameter(Expression expression) : expression_(std::move(expression)) {}

  /// Returns whether the value does not depend on a choice.
  bool decided() const { return expression_.decided(); }

  /// Returns the value. Throws while a choice in it is undecided.
  T value() const { return as_value(expression_.value()); }

  /// Returns the parameter with the choices that `architecture` decides replaced by their values.
  Parameter at(const Architecture& architecture) const { return expression_.at(architecture); }

  /// Returns the smallest possible value, of a number.
  T min() const { return as_value(expression_.range().first); }
  /// Returns the largest possible value, of a number; a supernet is built for this value.
  T max() const { return as_value(expression_.range().second); }

  /// Returns the constant, the value choice or the formula.
  const Expression& expression() const { return expression_; }
  /// Returns a text for messages: `64`, `width{64,128}` (see Expression::to_string).
  std::string to_string() const { return expression_.to_string(); }

  friend bool operator==(const Parameter&, const Parameter&) = default;
  /// Writes the expression.
  friend void to_json(Json& json, const Parameter& parameter) { json = parameter.expression_; }
  /// Reads an expression. Throws where its value is decided and of another type than T.
  friend void from_json(const Json& json, Parameter& parameter) {
    parameter.expression_ = json.get<Expression>();
    if (parameter.decided()) {
      parameter.value();
    }
  }

 private:
  static T as_value(const Json& value) {
    if constexpr (std::is_same_v<T, bool>) {
      TORCH_CHECK(value.is_boolean(), "expected true or false, got ", value.dump());
    } else if constexpr (std::is_same_v<T, int64_t>) {
      TORCH_CHECK(value.is_number_integer(), "expected an integer, got ", value.dump());
    } else if constexpr (std::is_same_v<T, double>) {
      TORCH_CHECK(value.is_number(), "expected a number, got ", value.dump());
    } else {
      TORCH_CHECK(value.is_string(), "expected a text, got ", value.dump());
    }
    return value.get<T>();
  }

  Expression expression_;
};

/// A size, such as a number of channels, a kernel size or a depth.
using Dim = Parameter<int64_t>;

/// Returns the sum, as a formula where a size is a choice.
inline Dim operator+(const Dim& a, const Dim& b) {
  return Expression::apply("+", {a.expression(), b.expression()});
}
/// Returns the difference, as a formula where a size is a choice.
inline Dim operator-(const Dim& a, const Dim& b) {
  return Expression::apply("-", {a.expression(), b.expression()});
}
/// Returns the product, as a formula where a size is a choice.
inline Dim operator*(const Dim& a, const Dim& b) {
  return Expression::apply("*", {a.expression(), b.expression()});
}
/// Returns the quotient rounded towards minus infinity, as a formula where a size is a choice.
inline Dim floor_div(const Dim& a, const Dim& b) {
  return Expression::apply("//", {a.expression(), b.expression()});
}
/// Returns the remainder of floor_div, as a formula where a size is a choice.
inline Dim operator%(const Dim& a, const Dim& b) {
  return Expression::apply("%", {a.expression(), b.expression()});
}

/// Returns a choice of one value, e.g. `linear({.out = ValueChoice("width", {64, 128})})`. Choices
/// with the same label are one decision; an empty label becomes the path of the parameter.
template <class T>
Expression ValueChoice(std::string label, std::initializer_list<T> options) {
  std::vector<Expression> expressions;
  for (const T& option : options) {
    expressions.emplace_back(Json(option));
  }
  return Expression::choice(std::move(label), std::move(expressions));
}
/// Returns a choice whose label becomes the path of its parameter.
template <class T>
Expression ValueChoice(std::initializer_list<T> options) {
  return ValueChoice("", options);
}

/// The sizes of a value in the graph, without the batch dimension.
using Shape = std::vector<Dim>;

/// Returns a text such as `[16, 32, 32]`.
std::string to_string(const Shape& shape);

/// Returns `shape` with the choices that `architecture` decides replaced by their values.
Shape at(Shape shape, const Architecture& architecture);

/// Returns whether both shapes are equal for every architecture.
bool always_equal(const Shape& a, const Shape& b);

}  // namespace retia::ir

namespace retia {
using ir::Dim;
using ir::Shape;
using ir::ValueChoice;
}  // namespace retia
