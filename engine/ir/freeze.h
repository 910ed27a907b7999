#pragma once

#include "engine/ir/graph.h"

namespace retia::ir {

/// The model that `architecture` selects from `space`: no choice left, nothing in it that leads to
/// no output. What a layer choice chose is named `<choice>/<candidate>`, so that its weights have
/// the names they have in the supernet. Throws on labels the space does not have, on decisions that
/// are missing, out of range or of the wrong count, and on placeholders.
Graph freeze(const Graph& space, const Architecture& architecture);

/// `architecture` without the labels that nothing it selects reaches: what is hashed, stored and
/// compared.
Architecture canonical(const Graph& space, const Architecture& architecture);

/// `architecture` with the first candidates for labels of `space` that it does not decide: what a
/// mutator, which decides everything, replays of a canonical one.
Architecture completed(const Graph& space, const Architecture& architecture);

}  // namespace retia::ir
