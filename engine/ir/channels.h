#pragma once

#include <vector>

#include "engine/ir/parameter.h"

namespace retia::ir {

/// Channels that stand one after the other: an expression `a ++ b`, which is their sum and
/// remembers where each begins, since a supernet cuts each of them by itself.
Dim joined(const Dim& a, const Dim& b);

/// What `dim` was joined of, in order, but for zeros; decided neighbours are one part.
std::vector<Dim> parts(const Dim& dim);

/// Whether both were joined of parts that agree for every architecture.
bool same_parts(const Dim& a, const Dim& b);

/// `dim`, as a number where every architecture gives the same one.
Dim settled(const Dim& dim);

}  // namespace retia::ir
