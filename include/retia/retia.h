#pragma once

/// The parts of a search in a program of one's own. `<retia/program.h>` has the `retia` program.

#include <retia/ops.h>

#include "retia/engine/base/device.h"
#include "retia/engine/base/pareto.h"
#include "retia/engine/cost/expected_cost.h"
#include "retia/engine/cost/latency_table.h"
#include "retia/engine/cost/profile.h"
#include "retia/engine/executor/explain.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/experiment/inline_runner.h"
#include "retia/engine/experiment/strategy.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/chain.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/mutables/chosen_value.h"
#include "retia/engine/mutables/input_choice.h"
#include "retia/engine/mutables/layer_choice.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"
#include "retia/engine/space/graph_mutator.h"
#include "retia/engine/space/search_space_json.h"
#include "retia/engine/space/space.h"
#include "retia/engine/symbolic/formula.h"
#include "retia/models/spaces.h"
#include "retia/mutators/alpha_mutator.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/enas.h"
#include "retia/mutators/fairnas.h"
#include "retia/mutators/fixed.h"
#include "retia/mutators/gdas.h"
#include "retia/mutators/proxyless.h"
#include "retia/mutators/random.h"
#include "retia/mutators/spos.h"
#include "retia/strategies/asha.h"
#include "retia/strategies/evolution.h"
#include "retia/strategies/grid.h"
#include "retia/strategies/local_search.h"
#include "retia/strategies/nsga2.h"
#include "retia/strategies/proposals.h"
#include "retia/strategies/random.h"
#include "retia/strategies/reinforce.h"
#include "retia/strategies/spos_evolution.h"
#include "retia/strategies/strategies.h"
#include "retia/strategies/tpe.h"
#include "retia/trainers/algorithms.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/data/split.h"
#include "retia/trainers/evaluators.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"
#include "retia/trainers/one_shot/enas_trainer.h"
#include "retia/trainers/one_shot/single_path_trainer.h"
#include "retia/trainers/score.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {

/// The names of the graph's namespace that users write.
using ir::Blocks;
using ir::BlockWriter;
using ir::Candidate;
using ir::CandidateWriter;
using ir::Cell;
using ir::chain;
using ir::Cost;
using ir::Expression;
using ir::Filter;
using ir::freeze;
using ir::Graph;
using ir::graph_from_json;
using ir::GraphMutators;
using ir::InputChoiceOptions;
using ir::LayerChoiceOptions;
using ir::Node;
using ir::NodeId;
using ir::Operation;
using ir::OperationKind;
using ir::Parameter;
using ir::Placeholder;
using ir::PlaceholderOptions;
using ir::Space;
using ir::total_cost;
using ir::write_cell;
using ir::Writer;

}  // namespace retia
