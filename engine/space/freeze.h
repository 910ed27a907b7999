#pragma once

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns the model that `architecture` selects from `space`: without choices, and without nodes
/// that lead to no output. The chosen candidate of a layer choice is named `<choice>/<candidate>`,
/// so that its weights have the same names as in the supernet. Throws on labels that the space does
/// not have, on decisions that are missing, out of range or of the wrong count, and on
/// placeholders.
Graph freeze(const Graph& space, const Architecture& architecture);

/// Returns the model of `form`, a canonical architecture of `space`.
Graph selected(const Graph& space, const Architecture& form);

/// Returns the operation that joins `n` inputs, at least one, by `reduction`; none where a single
/// input needs no joining.
std::optional<Operation> joining(Reduction reduction, size_t n);

/// Returns `architecture` without the labels that the selected model does not use. Architectures
/// are hashed, stored and compared in this canonical form.
Architecture canonical(const Graph& space, const Architecture& architecture);

/// Returns `architecture` with the first candidates for all undecided labels of `space`. A mutator
/// decides every label, so this turns a canonical architecture into one that a mutator can apply.
Architecture completed(const Graph& space, const Architecture& architecture);

}  // namespace retia::ir
