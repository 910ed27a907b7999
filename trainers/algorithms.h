#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/options.h"
#include "engine/suggest.h"
#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// A search that is ready to run.
struct Search {
  std::unique_ptr<Mutator> mutator;
  std::unique_ptr<OneShotTrainer> trainer;
};

/// Name -> what makes its mutator and trainer. Extended by `add`.
class AlgorithmTable {
 public:
  /// `maker(options, setup, seed)`; Options reads from JSON.
  template <class Options>
  void add(const std::string& name,
           Search (*maker)(const Options&, const SearchSetup&, uint64_t seed)) {
    TORCH_CHECK(!entries_.count(name), "algorithm '", name, "' is in the table already");
    entries_[name] = {Json(Options{}),
                      [name, maker](const Json& options, const SearchSetup& setup, uint64_t seed) {
                        return maker(
                            options_from_json<Options>(options, "algorithm '" + name + "'"), setup,
                            seed);
                      }};
  }

  /// Throws, naming the nearest, on an unknown name or option.
  Search make(const std::string& name, const Json& options, const SearchSetup& setup,
              uint64_t seed) const;

  /// The options of an algorithm with their defaults.
  const Json& defaults(const std::string& name) const;

  std::vector<std::string> names() const;

 private:
  struct Entry {
    Json defaults;
    std::function<Search(const Json&, const SearchSetup&, uint64_t)> make;
  };
  const Entry& entry(const std::string& name) const;

  std::map<std::string, Entry> entries_;
};

/// darts, random, spos.
AlgorithmTable standard_algorithms();

}  // namespace retia
