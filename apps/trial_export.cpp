#include "retia/apps/trial_export.h"

#include "retia/apps/workbench.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/folders.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/operations/primitive.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/setting.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

/// Returns the task for which the space of a run was made.
Task task_of(const ir::Graph& graph) {
  const std::map<ir::NodeId, Shape> shapes = ir::infer(graph);
  const auto sizes = [&](ir::NodeId node) { return decided(shapes.at(node)); };
  return {sizes(graph.inputs().front()->id), sizes(graph.outputs().front().wire.node).front()};
}

}  // namespace

void export_trial(const Program& program, const fs::path& run, const Json& trial,
                  const fs::path& to) {
  TORCH_CHECK(!fs::exists(to), to.string(), " is there already: give another --export");
  const Json config = read_format(run / "config.json", "retia.config", 1);
  const ir::Graph graph =
      ir::graph_from_json(read_format(run / "space.json", "retia.graph", 1), program.operations);
  const ir::Space space =
      written_space(program, config, graph, task_of(graph))
          .with(ir::settings_in(config.value("evaluator", Json::object()), "evaluator"));
  const Architecture architecture = choices_from_json(trial.at("choices"), space.mutables());
  const ir::Graph model = space.model(architecture);
  make_folders(to);
  write_json(to / "model.json", ir::to_json(model));
  write_json(to / "architecture.json",
             to_json(architecture, space.mutables(), written_reference(config)));
  fs::copy(run / "config.json", to);
  fs::copy(run / "space.json", to);
  if (fs::exists(run / "run.json")) {
    fs::copy(run / "run.json", to);
  }
  if (const auto split = read_split(run)) {
    write_split(to, *split);
  }
  const fs::path weights = run / "weights" / trial.at("trial").dump();
  if (fs::exists(weights)) {
    fs::copy(weights, to / "checkpoints", fs::copy_options::recursive);
  }
}

}  // namespace retia
