#include "retia/models/ops/nasbench101_cell.h"

#include <algorithm>
#include <set>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/primitive.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/conv_bn.h"

namespace retia {
namespace {

const std::vector<std::string> kOps = {"conv1x1", "conv3x3", "maxpool3x3"};

/// Returns, for each vertex, whether it is on a path from the input to the output.
std::vector<bool> on_a_path(const NasBench101Cell& cell) {
  const size_t n = cell.edges.size() + 1;
  std::vector<bool> from_input(n), to_output(n);
  from_input.front() = to_output.back() = true;
  for (size_t j = 1; j < n; ++j) {
    for (size_t i = 0; i < j; ++i) {
      from_input[j] = from_input[j] || (from_input[i] && cell.edges[j - 1][i]);
    }
  }
  for (size_t j = n - 1; j > 0; --j) {
    for (size_t i = 0; i < j; ++i) {
      to_output[i] = to_output[i] || (to_output[j] && cell.edges[j - 1][i]);
    }
  }
  for (size_t v = 0; v < n; ++v) {
    to_output[v] = to_output[v] && from_input[v];
  }
  return to_output;
}

/// The cell that decided options describe.
NasBench101Cell described(const NasBench101CellOptions& o) {
  NasBench101Cell cell;
  for (const auto& op : o.ops) {
    cell.ops.push_back(op.value());
  }
  for (const auto& from : o.edges) {
    cell.edges.emplace_back();
    for (const auto& edge : from) {
      cell.edges.back().push_back(edge.value());
    }
  }
  return cell;
}

/// Returns why there is no model with `cell`; none where there is one.
std::optional<std::string> obstacle(const NasBench101Cell& cell, int64_t max_edges) {
  if (!on_a_path(cell).front()) {
    return "no path leads from the cell's input to its output";
  }
  const int64_t n_edges = pruned(cell).n_edges();
  if (n_edges > max_edges) {
    return c10::str("the cell has ", n_edges,
                    " edges on paths from its input to its output, and may have ", max_edges);
  }
  return std::nullopt;
}

/// Returns the pruned cell; throws where there is no valid model.
NasBench101Cell valid(const NasBench101CellOptions& o) {
  const NasBench101Cell cell = described(o);
  const std::optional<std::string> found = obstacle(cell, o.max_edges);
  TORCH_CHECK(!found, found.value_or(""));
  return pruned(cell);
}

/// Returns `cell` padded to the size of `o` with unread vertices before the output.
NasBench101Cell padded(const NasBench101Cell& cell, size_t n_ops) {
  NasBench101Cell result = cell;
  result.ops.resize(n_ops, kOps.front());
  result.edges.insert(result.edges.end() - 1, n_ops - cell.ops.size(), {});
  for (size_t j = 0; j < result.edges.size(); ++j) {
    result.edges[j].resize(j + 1, false);
  }
  return result;
}

class Writer {
 public:
  Writer(Builder& b, Wire input, const NasBench101Cell& cell, std::vector<int64_t> channels)
      : b_(b), cell_(cell), channels_(std::move(channels)), wires_{input} {}

  Wire write() {
    const size_t last = cell_.edges.size();
    for (size_t v = 1; v < last; ++v) {
      const auto scope = b_.scope("vertex" + std::to_string(v));
      wires_.push_back(operation(cell_.ops[v - 1], sum(v)));
    }
    const auto scope = b_.scope("output");
    std::vector<Wire> read;
    for (size_t v = 1; v < last; ++v) {
      if (cell_.edges.back()[v]) {
        read.push_back(wires_[v]);
      }
    }
    std::vector<Wire> terms;
    if (!read.empty()) {
      terms.push_back(read.size() == 1 ? read.front() : b_.add("concat", ops::concat(), read));
    }
    if (cell_.edges.back()[0]) {
      terms.push_back(projected(last));
    }
    return joined(terms);
  }

 private:
  Wire sum(size_t v) {
    std::vector<Wire> terms;
    for (size_t i = 1; i < v; ++i) {
      if (cell_.edges[v - 1][i]) {
        terms.push_back(cut(i, channels_[v]));
      }
    }
    if (cell_.edges[v - 1][0]) {
      terms.push_back(projected(v));
    }
    return joined(terms);
  }

  Wire joined(const std::vector<Wire>& terms) {
    return terms.size() == 1 ? terms.front() : b_.add("sum", ops::add(), terms);
  }

  Wire projected(size_t v) {
    return b_.add("project",
                  ops::conv_bn({.out = channels_[v], .kernel = 1, .relu = ReluPlace::After}),
                  {wires_.front()});
  }

  /// The first `channels` of what vertex i made.
  Wire cut(size_t i, int64_t channels) {
    if (channels_[i] == channels) {
      return wires_[i];
    }
    return b_.add("cut" + std::to_string(i),
                  ops::split({.index = 0, .of = channels_[i], .count = channels}), {wires_[i]});
  }

  Wire operation(const std::string& op, Wire x) {
    if (op == "maxpool3x3") {
      return b_.add("pool", ops::max_pool2d(), {x});
    }
    return b_.add("conv",
                  ops::conv_bn({.kernel = op == "conv1x1" ? 1 : 3, .relu = ReluPlace::After}), {x});
  }

  Builder& b_;
  const NasBench101Cell& cell_;
  std::vector<int64_t> channels_;
  std::vector<Wire> wires_;  // of the vertices
};

/// Decides the value choice `expression` for `value`.
void decide(Architecture& architecture, const ir::Expression& expression, const Json& value) {
  const Json written = expression;
  TORCH_CHECK(written.is_object() && written.contains("choice"),
              "operations and edges of a cell are value choices, got ", expression.to_string());
  const std::vector<Json> options = written.at("options");
  const auto found = std::find(options.begin(), options.end(), value);
  TORCH_CHECK(found != options.end(), expression.to_string(), " does not offer ", value.dump());
  architecture[written.at("choice").get<std::string>()] = {{found - options.begin()}};
}

class Kind final : public ir::OperationKind {
 public:
  using Shapes = std::vector<Shape>;
  using Options = NasBench101CellOptions;
  Kind() : ir::OperationKind("nasbench101_cell") {}

  Json complete(const Json& given) const override {
    const auto o = options_from_json<Options>(given, "operation 'nasbench101_cell'");
    for (size_t j = 0; j < o.edges.size(); ++j) {
      TORCH_CHECK(o.edges[j].size() == j + 1, "operation 'nasbench101_cell': vertex ", j + 1,
                  " needs ", j + 1, " edges, got ", o.edges[j].size());
    }
    TORCH_CHECK(o.edges.empty() ? o.ops.empty() : o.edges.size() == o.ops.size() + 1,
                "operation 'nasbench101_cell': expected edges of each operation's vertex and of "
                "the output, got ",
                o.edges.size(), " for ", o.ops.size(), " operations");
    for (const auto& op : o.ops) {
      for (const Json& name : op.expression().options()) {
        TORCH_CHECK(std::find(kOps.begin(), kOps.end(), name) != kOps.end(),
                    "operation 'nasbench101_cell': unknown operation ", name.dump(),
                    ": expected conv1x1, conv3x3 or maxpool3x3");
      }
    }
    return o;
  }

  Shape infer(const Json& parameters, const Shapes& inputs) const override {
    Shape shape = one_input(inputs, 3);
    const auto o = parameters.get<Options>();
    shape[0] = o.out == Dim(0) ? shape[0] : o.out;
    return shape;
  }

  std::optional<std::string> obstacle(const Json& parameters,
                                      const Architecture& architecture) const override {
    return retia::obstacle(described(ir::decided(parameters, architecture).get<Options>()),
                           parameters.get<Options>().max_edges);
  }

  std::shared_ptr<const ir::Graph> expand(const Json& parameters,
                                          const Shapes& inputs) const override {
    const auto o = parameters.get<Options>();
    TORCH_CHECK(!is_open(o),
                "the channels in a cell of NAS-Bench-101 depend on all its choices, so that no "
                "supernet can share its weights: explore such a space by trials (retia explore)");
    const Shape& input = one_input(inputs, 3);
    const NasBench101Cell cell = valid(o);
    Builder b(type());
    const Wire x = b.input("input", input);
    const int64_t out = infer(parameters, inputs)[0].value();
    b.output("output", Writer(b, x, cell, channels_of(cell, input[0].value(), out)).write());
    return std::make_shared<const ir::Graph>(b.finish());
  }

  Architecture canonical(const Json& parameters, const Architecture& architecture) const override {
    const auto o = parameters.get<Options>();
    Architecture result = ir::OperationKind::canonical(parameters, architecture);
    if (!is_open(o)) {
      return result;
    }
    const auto decided = ir::decided(parameters, architecture).get<Options>();
    const NasBench101Cell cell = padded(valid(decided), o.ops.size());
    for (size_t i = 0; i < o.ops.size(); ++i) {
      decide(result, o.ops[i].expression(), cell.ops[i]);
    }
    for (size_t j = 0; j < o.edges.size(); ++j) {
      for (size_t i = 0; i <= j; ++i) {
        decide(result, o.edges[j][i].expression(), cell.edges[j][i]);
      }
    }
    return result;
  }

 private:
  static bool is_open(const Options& o) {
    const auto open = [](const auto& parameter) { return !parameter.decided(); };
    return std::any_of(o.ops.begin(), o.ops.end(), open) ||
           std::any_of(o.edges.begin(), o.edges.end(), [&](const auto& from) {
             return std::any_of(from.begin(), from.end(), open);
           });
  }
};

}  // namespace

int64_t NasBench101Cell::n_edges() const {
  int64_t n = 0;
  for (const std::vector<bool>& from : edges) {
    n += std::count(from.begin(), from.end(), true);
  }
  return n;
}

NasBench101Cell pruned(const NasBench101Cell& cell) {
  const std::vector<bool> kept = on_a_path(cell);
  TORCH_CHECK(kept.front(), "no path leads from the cell's input to its output");
  NasBench101Cell result;
  for (size_t j = 1; j < kept.size(); ++j) {
    if (!kept[j]) {
      continue;
    }
    if (j <= cell.ops.size()) {
      result.ops.push_back(cell.ops[j - 1]);
    }
    result.edges.emplace_back();
    for (size_t i = 0; i < j; ++i) {
      if (kept[i]) {
        result.edges.back().push_back(cell.edges[j - 1][i]);
      }
    }
  }
  return result;
}

std::vector<int64_t> channels_of(const NasBench101Cell& cell, int64_t in, int64_t out) {
  const size_t last = cell.edges.size();
  std::vector<int64_t> channels(last + 1);
  channels.front() = in;
  channels.back() = out;
  const std::vector<bool>& read = cell.edges.back();
  const auto n_read = std::count(read.begin() + 1, read.end(), true);
  int64_t rest = n_read == 0 ? 0 : out % n_read;
  for (size_t v = 1; v < last; ++v) {
    if (read[v]) {
      channels[v] = out / n_read + (rest-- > 0 ? 1 : 0);
    }
  }
  for (size_t v = last - 1; v >= 1; --v) {
    for (size_t reader = v + 1; !read[v] && reader < last; ++reader) {
      if (cell.edges[reader - 1][v]) {
        channels[v] = std::max(channels[v], channels[reader]);
      }
    }
  }
  return channels;
}

NasBench101CellOptions nasbench101_choices(const std::string& label, int64_t n_vertices) {
  NasBench101CellOptions options;
  for (int64_t j = 1; j < n_vertices; ++j) {
    if (j < n_vertices - 1) {
      options.ops.emplace_back(ValueChoice<std::string>(label + "/op" + std::to_string(j),
                                                        {"conv1x1", "conv3x3", "maxpool3x3"}));
    }
    options.edges.emplace_back();
    for (int64_t i = 0; i < j; ++i) {
      options.edges.back().emplace_back(
          ValueChoice<bool>(c10::str(label, "/", i, "-", j), {false, true}));
    }
  }
  return options;
}

ir::Operation ops::nasbench101_cell(const NasBench101CellOptions& options) {
  static const auto kind = std::make_shared<const Kind>();
  return {kind, options};
}

}  // namespace retia
