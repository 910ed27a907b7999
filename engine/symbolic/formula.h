#pragma once

#include <string>
#include <type_traits>

#include "retia/engine/symbolic/parameter.h"

namespace retia::ir {

// Formulas over choices: `round(width * 0.75)`, `condition(depth > 2, width, 2 * width)`. An
// operand is an expression or a parameter; the other operand of a pair may also be a plain number,
// bool or text. Operators on two sizes (Dim) are in parameter.h and give a Dim. Expression::apply
// says what each operator does.

/// A type that tells whether T is a Parameter.
template <class T>
struct IsParameter : std::false_type {};
template <class T>
struct IsParameter<Parameter<T>> : std::true_type {};

/// An expression, or a parameter, which holds an expression.
template <class T>
concept Symbolic = std::is_same_v<T, Expression> || IsParameter<T>::value;
/// An operand of a formula: symbolic, or a plain number, bool or text.
template <class T>
concept Term =
    Symbolic<T> || std::is_arithmetic_v<T> || std::is_convertible_v<const T&, std::string>;
/// A size: a Dim or an integer.
template <class T>
concept Size = std::is_same_v<T, Dim> || std::is_integral_v<T>;

/// Two operands, at least one of them symbolic.
template <class A, class B>
concept Formula = Term<A> && Term<B> &&(Symbolic<A> || Symbolic<B>);
/// Two operands for which parameter.h does not define an operator.
template <class A, class B>
concept MixedFormula = Formula<A, B> && !(Size<A> && Size<B>);

/// Returns `value` as an expression; a number, bool or text becomes a constant.
template <Term T>
Expression term(const T& value) {
  if constexpr (std::is_same_v<T, Expression>) {
    return value;
  } else if constexpr (Symbolic<T>) {
    return value.expression();
  } else {
    return Expression(Json(value));
  }
}

/// Returns the formula `a op b`; see Expression::apply.
template <Term A, Term B>
Expression apply(const char* op, const A& a, const B& b) {
  return Expression::apply(op, {term(a), term(b)});
}

/// Returns the sum of two numbers.
template <class A, class B>
requires MixedFormula<A, B> Expression operator+(const A& a, const B& b) {
  return apply("+", a, b);
}
/// Returns the difference of two numbers.
template <class A, class B>
requires MixedFormula<A, B> Expression operator-(const A& a, const B& b) {
  return apply("-", a, b);
}
/// Returns the product of two numbers.
template <class A, class B>
requires MixedFormula<A, B> Expression operator*(const A& a, const B& b) {
  return apply("*", a, b);
}
/// Returns the remainder of floor_div.
template <class A, class B>
requires MixedFormula<A, B> Expression operator%(const A& a, const B& b) {
  return apply("%", a, b);
}
/// Returns the quotient rounded towards minus infinity.
template <class A, class B>
requires MixedFormula<A, B> Expression floor_div(const A& a, const B& b) {
  return apply("//", a, b);
}
/// Returns the quotient with its fraction, also of two integers.
template <class A, class B>
requires Formula<A, B> Expression operator/(const A& a, const B& b) { return apply("/", a, b); }

/// Returns the smaller of two numbers.
template <class A, class B>
requires Formula<A, B> Expression min(const A& a, const B& b) { return apply("min", a, b); }
/// Returns the larger of two numbers.
template <class A, class B>
requires Formula<A, B> Expression max(const A& a, const B& b) { return apply("max", a, b); }

/// Returns whether `a` is below `b`, as a formula.
template <class A, class B>
requires Formula<A, B> Expression operator<(const A& a, const B& b) { return apply("<", a, b); }
/// Returns whether `a` is at most `b`, as a formula.
template <class A, class B>
requires Formula<A, B> Expression operator<=(const A& a, const B& b) { return apply("<=", a, b); }
/// Returns whether `a` is above `b`, as a formula.
template <class A, class B>
requires Formula<A, B> Expression operator>(const A& a, const B& b) { return apply(">", a, b); }
/// Returns whether `a` is at least `b`, as a formula.
template <class A, class B>
requires Formula<A, B> Expression operator>=(const A& a, const B& b) { return apply(">=", a, b); }
/// Returns whether two values of one type are equal, as a formula; `==` compares formulas instead.
template <class A, class B>
requires Formula<A, B> Expression is_equal(const A& a, const B& b) { return apply("==", a, b); }
/// Returns whether two values of one type differ, as a formula; `!=` compares formulas instead.
template <class A, class B>
requires Formula<A, B> Expression is_different(const A& a, const B& b) { return apply("!=", a, b); }

/// Returns the nearest integer; halves go to the even one.
template <Symbolic T>
Expression round(const T& a) {
  return Expression::apply("round", {term(a)});
}
/// Returns the largest integer that is at most `a`.
template <Symbolic T>
Expression floor(const T& a) {
  return Expression::apply("floor", {term(a)});
}
/// Returns the smallest integer that is at least `a`.
template <Symbolic T>
Expression ceil(const T& a) {
  return Expression::apply("ceil", {term(a)});
}
/// Returns a number without its fraction, or 1 for true and 0 for false.
template <Symbolic T>
Expression to_int(const T& a) {
  return Expression::apply("int", {term(a)});
}
/// Returns a number or a flag as a double.
template <Symbolic T>
Expression to_float(const T& a) {
  return Expression::apply("float", {term(a)});
}

/// Returns a formula that is `a` where `holds`, else `b`; only the selected one is evaluated.
template <Symbolic P, Term A, Term B>
Expression condition(const P& holds, const A& a, const B& b) {
  return Expression::apply("if", {term(holds), term(a), term(b)});
}

/// Returns a choice among all integers from `least` to `most`.
Expression between(std::string label, int64_t least, int64_t most);
/// Returns a choice among all integers from `least` to `most`; its label becomes the path of its
/// parameter.
inline Expression between(int64_t least, int64_t most) { return between("", least, most); }

}  // namespace retia::ir

namespace retia {
using ir::between;
}  // namespace retia
