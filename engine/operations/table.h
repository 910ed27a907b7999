#pragma once

#include <memory>
#include <string>
#include <vector>

#include "retia/engine/base/named_table.h"
#include "retia/engine/operations/module.h"

namespace retia::ir {
class Builder;
struct Wire;
}  // namespace retia::ir

namespace retia {

/// A table type → kind, with which graphs are read from JSON. Extended by `add`, passed as an
/// argument.
class OperationTable {
 public:
  /// Adds a kind: an object of its own class, or that of some operation, e.g.
  /// `ops::relu().shared_kind()`.
  void add(std::shared_ptr<const ir::OperationKind> kind);

  /// Adds a composite, written by `Wire write(Builder&, Wire, const Options&)`; defined in
  /// composite.h.
  template <class Options>
  void add(const std::string& type, ir::Wire (*write)(ir::Builder&, ir::Wire, const Options&));

  /// Adds a torch module as one operation (see ModuleKind).
  template <class Module>
  void add(const std::string& type) {
    add(std::make_shared<const ModuleKind<Module>>(type));
  }

  /// Returns an operation of a kind in the table. Throws, naming the nearest one, on an unknown
  /// type.
  ir::Operation make(const std::string& type, const Json& parameters = Json::object()) const;

  /// Returns the names of all kinds in alphabetical order.
  std::vector<std::string> types() const { return kinds_.names(); }

 private:
  NamedTable<std::shared_ptr<const ir::OperationKind>> kinds_{"operation"};
};

/// Returns a table of all primitives.
OperationTable standard_operations();

}  // namespace retia
