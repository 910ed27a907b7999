#pragma once

#include <string>
#include <type_traits>

#include "retia/engine/symbolic/parameter.h"

namespace retia::ir {

// Formulas over choices: `round(width * 0.75)`, `condition(depth > 2, width, 2 * width)`. An
// operand is an expression or a parameter; the other operand of a pair may also be a plain number,
// bool or text. Operators on two sizes (Dim) are in parameter.h and give a Dim. Expression::apply
// says what each operator does.

template <class T>
struct IsParameter : std::false_type {};
template <class T>
struct IsParameter<Parameter<T>> : std::true_type {};

template <class T>
concept Symbolic = std::is_same_v<T, Expression> || IsParameter<T>::value;
template <class T>
concept Term =
    Symbolic<T> || std::is_arithmetic_v<T> || std::is_convertible_v<const T&, std::string>;
template <class T>
concept Size = std::is_same_v<T, Dim> || std::is_integral_v<T>;

template <class A, class B>
concept Formula = Term<A> && Term<B> &&(Symbolic<A> || Symbolic<B>);
/// Operands for which parameter.h does not define an operator.
template <class A, class B>
concept MixedFormula = Formula<A, B> && !(Size<A> && Size<B>);

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

template <Term A, Term B>
Expression apply(const char* op, const A& a, const B& b) {
  return Expression::apply(op, {term(a), term(b)});
}

template <class A, class B>
requires MixedFormula<A, B> Expression operator+(const A& a, const B& b) {
  return apply("+", a, b);
}
template <class A, class B>
requires MixedFormula<A, B> Expression operator-(const A& a, const B& b) {
  return apply("-", a, b);
}
template <class A, class B>
requires MixedFormula<A, B> Expression operator*(const A& a, const B& b) {
  return apply("*", a, b);
}
template <class A, class B>
requires MixedFormula<A, B> Expression operator%(const A& a, const B& b) {
  return apply("%", a, b);
}
template <class A, class B>
requires MixedFormula<A, B> Expression floor_div(const A& a, const B& b) {
  return apply("//", a, b);
}
template <class A, class B>
requires Formula<A, B> Expression operator/(const A& a, const B& b) { return apply("/", a, b); }

template <class A, class B>
requires Formula<A, B> Expression min(const A& a, const B& b) { return apply("min", a, b); }
template <class A, class B>
requires Formula<A, B> Expression max(const A& a, const B& b) { return apply("max", a, b); }

template <class A, class B>
requires Formula<A, B> Expression operator<(const A& a, const B& b) { return apply("<", a, b); }
template <class A, class B>
requires Formula<A, B> Expression operator<=(const A& a, const B& b) { return apply("<=", a, b); }
template <class A, class B>
requires Formula<A, B> Expression operator>(const A& a, const B& b) { return apply(">", a, b); }
template <class A, class B>
requires Formula<A, B> Expression operator>=(const A& a, const B& b) { return apply(">=", a, b); }
/// Compares values, as == and != would: the operators themselves compare formulas.
template <class A, class B>
requires Formula<A, B> Expression is_equal(const A& a, const B& b) { return apply("==", a, b); }
template <class A, class B>
requires Formula<A, B> Expression is_different(const A& a, const B& b) { return apply("!=", a, b); }

template <Symbolic T>
Expression round(const T& a) {
  return Expression::apply("round", {term(a)});
}
template <Symbolic T>
Expression floor(const T& a) {
  return Expression::apply("floor", {term(a)});
}
template <Symbolic T>
Expression ceil(const T& a) {
  return Expression::apply("ceil", {term(a)});
}
template <Symbolic T>
Expression to_int(const T& a) {
  return Expression::apply("int", {term(a)});
}
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
inline Expression between(int64_t least, int64_t most) { return between("", least, most); }

}  // namespace retia::ir

namespace retia {
using ir::between;
}  // namespace retia
