#pragma once

#include <utility>
#include <variant>

namespace retia::ir {

/// Several functions as one that is overloaded; see match.
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// Calls the one of `cases` that takes what `body` (a node's body, or a candidate's) holds, and
/// returns its result; all cases return one type. A kind without a case does not compile, so that a
/// new kind of node is asked for wherever kinds differ:
///
///   match(
///       node.body,
///       [](const Input&) { … }, [](const Placeholder&) { … },
///       [](const Operation&) { … }, [](const Cell&) { … },
///       [](const LayerChoice&) { … }, [](const InputChoice&) { … });
template <class Body, class... Cases>
decltype(auto) match(Body&& body, Cases&&... cases) {
  return std::visit(Overloaded{std::forward<Cases>(cases)...}, std::forward<Body>(body));
}

}  // namespace retia::ir
