#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "retia/engine/executor/program.h"
#include "retia/engine/ir/graph.h"

namespace retia::executor {

/// Receives each module that a program needs, with its path.
using RegisterModule =
    std::function<void(const std::string& path, std::shared_ptr<torch::nn::Module> module)>;

/// Makes the program of a graph that ir::lower has lowered: one instruction per node that is no
/// input. Cells that are candidates of layer choices become programs of their own.
///
/// `inputs`: shapes of the graph's inputs. `prefix`: of the paths of the modules. `choices`: value
/// choices already made for the surrounding graphs. Throws one line that names the node where a
/// size is a choice that weights cannot share.
Program make_program(
    const ir::Graph& lowered, const std::vector<Shape>& inputs, const std::string& prefix,
    const RegisterModule& register_module,
    const std::shared_ptr<ValueChoices>& choices = std::make_shared<ValueChoices>());

}  // namespace retia::executor
