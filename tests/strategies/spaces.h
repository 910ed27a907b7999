#pragma once

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"

namespace retia {

/// Two layer choices of two candidates each, one after the other.
inline ir::Graph two_by_two() {
  Builder b("two_by_two");
  const Wire x = b.input("x", {4});
  const Wire first = b.layer_choice(
      "first", {{"linear", ops::linear({.out = 4})}, {"skip", ops::identity()}}, {x});
  const Wire second = b.layer_choice(
      "second", {{"linear", ops::linear({.out = 4})}, {"relu", ops::relu()}}, {first});
  b.output("y", second);
  return b.finish();
}

/// One input choice among three layers; none: any number of them.
inline ir::Graph some_of_three(std::optional<int64_t> n_chosen) {
  Builder b("some_of_three");
  const Wire x = b.input("x", {4});
  std::vector<Wire> layers;
  for (const std::string name : {"a", "b", "c"}) {
    layers.push_back(b.add(name, ops::linear({.out = 4}), {x}));
  }
  b.output("y", b.input_choice("edges", layers, {.n_chosen = n_chosen, .label = "edges"}));
  return b.finish();
}

/// A layer choice that one of two decisions of an input choice passes by: three models.
inline ir::Graph detour() {
  Builder b("detour");
  const Wire x = b.input("x", {4});
  const Wire body =
      b.layer_choice("body", {{"linear", ops::linear({.out = 4})}, {"relu", ops::relu()}}, {x});
  b.output("y", b.input_choice("way", {x, body}, {.label = "way", .names = {"past", "through"}}));
  return b.finish();
}

/// A layer of 8, 16 or 32 outputs and one of two layers: six models.
inline ir::Graph widths() {
  Builder b("widths");
  const Wire x = b.input("x", {4});
  const Wire hidden =
      b.add("hidden", ops::linear({.out = ValueChoice<int64_t>("width", {8, 16, 32})}), {x});
  b.output("y",
           b.layer_choice("last", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {hidden}));
  return b.finish();
}

}  // namespace retia
