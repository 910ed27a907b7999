#pragma once

#include <vector>

#include "retia/engine/symbolic/parameter.h"

namespace retia::ir {

/// Returns the number of channels of the concatenation of `a` and `b`, written `a ++ b`. Its value
/// is their sum, but it remembers where each part begins, since a supernet slices each part
/// separately.
Dim joined(const Dim& a, const Dim& b);

/// Returns the parts from which `dim` was joined, in order, without zeros. Neighbouring parts that
/// are decided are added into one.
std::vector<Dim> parts(const Dim& dim);

/// Returns whether `a` and `b` consist of the same parts for every architecture.
bool same_parts(const Dim& a, const Dim& b);

/// Returns `dim` as a plain number where every architecture gives the same value; else `dim`
/// itself.
Dim settled(const Dim& dim);

}  // namespace retia::ir
