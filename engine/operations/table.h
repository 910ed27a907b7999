#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/operations/composite.h"
#include "engine/operations/module.h"

namespace retia {

/// Type -> kind: what a graph may be read with from JSON. Extended by `add`, passed as an argument.
class OperationTable {
 public:
  /// A kind of its own class, or the kind of an example operation.
  void add(std::shared_ptr<const ir::OperationKind> kind);

  /// A composite: `Wire write(Builder&, Wire, const Options&)`.
  template <class Options>
  void add(const std::string& type, Wire (*write)(Builder&, Wire, const Options&)) {
    add(std::make_shared<const Composite<Options>>(type, write));
  }

  /// A torch module as one opaque operation.
  template <class Module>
  void add(const std::string& type) {
    add(std::make_shared<const ModuleKind<Module>>(type));
  }

  /// An operation of a kind in the table. Throws, naming the nearest one, on an unknown type.
  ir::Operation make(const std::string& type, const Json& parameters = Json::object()) const;

  std::vector<std::string> types() const;

 private:
  std::map<std::string, std::shared_ptr<const ir::OperationKind>> kinds_;
};

/// The primitives.
OperationTable standard_operations();

}  // namespace retia
