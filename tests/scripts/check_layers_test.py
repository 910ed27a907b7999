#!/usr/bin/env python3
"""Plants includes in a scratch tree and reads what check_layers.py says about them."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "check_layers.py"


def check(files):
    """Runs the script on a tree of {path: text}; returns its exit code and output."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)
        return done.returncode, done.stdout


class CheckLayers(unittest.TestCase):
    def refuses(self, path, text, *said):
        code, output = check({path: text})
        self.assertEqual(code, 1, output)
        for words in said:
            self.assertIn(words, output)

    def test_accepts_every_direction_that_the_design_draws(self):
        code, output = check({
            "kernels/augment/augment.cpp": '#include "retia/kernels/augment/augment.h"\n',
            "engine/executor/a.cpp": '#include "retia/engine/ir/b.h"\n#include "retia/kernels/augment/augment.h"\n',
            "models/m.cpp": '#include "retia/engine/ir/builder.h"\n#include <torch/nn/module.h>\n',
            "mutators/s.h": '#include "retia/engine/mutables/mutator.h"\n',
            "strategies/s.h": '#include "retia/engine/experiment/strategy.h"\n',
            "trainers/t.cpp": '#include "retia/mutators/s.h"\n#include "retia/strategies/s.h"\n',
            "apps/main.cpp": '#include "retia/trainers/t.h"\n#include "retia/models/m.h"\n',
        })
        self.assertEqual(code, 0, output)

    def test_names_file_and_line_of_an_include_that_points_up(self):
        self.refuses("engine/ir/a.h", '#pragma once\n\n#include "retia/trainers/t.h"\n',
                     "engine/ir/a.h:3:", "trainers/t.h")

    def test_accepts_a_room_of_the_engine_that_includes_those_below(self):
        code, output = check({
            "engine/ir/graph.cpp": '#include "retia/engine/ir/graph.h"\n#include "retia/engine/base/json.h"\n',
            "engine/experiment/e.h": '#include "retia/engine/executor/network.h"\n',
        })
        self.assertEqual(code, 0, output)

    def test_refuses_a_room_of_the_engine_that_includes_one_above(self):
        self.refuses("engine/ir/a.cpp", '#include "retia/engine/space/space.h"\n', "engine/ir/a.cpp:1:",
                     "engine/ir may include base, io, distributed, symbolic, mutables, operations, ir")
        self.refuses("engine/operations/a.h", '#include "retia/engine/ir/graph.h"\n',
                     "engine/operations may include")

    def test_refuses_kernels_where_no_fused_operation_is_called(self):
        self.refuses("engine/ir/a.cpp", '#include "retia/kernels/mixed_op/mixed_op.h"\n',
                     "engine/ir may not include kernels")

    def test_refuses_files_of_the_engine_outside_its_rooms(self):
        self.refuses("engine/a.h", '#include "retia/engine/base/json.h"\n', "engine/ consists of rooms")
        self.refuses("engine/other/a.h", '#include "retia/engine/base/json.h"\n', "consists of rooms")

    def test_refuses_a_parallel_loop_that_would_be_serial(self):
        loop = "void f() {\n  at::parallel_for(0, n, 1, body);\n}\n"
        self.refuses("trainers/t.cpp", loop, "trainers/t.cpp:2:", "kernels::parallel_for")
        self.assertEqual(check({"kernels/threads.cpp": loop})[0], 0)

    def test_refuses_a_model_that_names_a_mutator(self):
        self.refuses("models/m.cpp", '#include "retia/mutators/s.h"\n', "models/m.cpp:1:")

    def test_refuses_a_strategy_that_names_a_mutator(self):
        self.refuses("strategies/s.cpp", '#include "retia/mutators/m.h"\n', "strategies/s.cpp:1:")

    def test_refuses_a_mutator_that_names_a_model(self):
        self.refuses("mutators/s.cpp", '#include "retia/models/m.h"\n', "mutators/s.cpp:1:")

    def test_refuses_whoever_names_apps(self):
        for room in ("kernels", "engine", "models", "mutators", "strategies", "trainers"):
            self.refuses(f"{room}/x.cpp", '  #  include <retia/apps/main.h>\n', f"{room}/x.cpp:1:")

    def test_refuses_kernels_that_name_the_engine(self):
        self.refuses("kernels/x/x.cpp", '#include "retia/engine/ir/a.h"\n', "no other room")

    def test_refuses_a_kernel_that_names_another(self):
        named = '#include "retia/kernels/augment/augment.h"\n'
        for path in ("kernels/x/x.cpp", "kernels/stencil/geometry.h", "kernels/parallel.h"):
            self.refuses(path, named, f"{path}:1:", "no other kernel")
        code, output = check({"kernels/x/x.cpp": '#include "retia/kernels/x/x.h"\n'
                                                 '#include "retia/kernels/parallel.h"\n'
                                                 '#include "retia/kernels/stencil/geometry.h"\n'})
        self.assertEqual(code, 0, output)

    def test_refuses_libtorch_headers_in_cuda_sources_only(self):
        for header in ("torch/library.h", "ATen/ATen.h", "c10/cuda/CUDAStream.h"):
            self.refuses("kernels/x/x_cuda.cu", f"#include <{header}>\n", "x_cuda.cu:1:", header)
            self.refuses("kernels/x/x.cuh", f"#include <{header}>\n", "x.cuh:1:")
            code, output = check({"kernels/x/x_cuda.cpp": f"#include <{header}>\n"})
            self.assertEqual(code, 0, output)

    def test_refuses_paths_relative_to_the_file(self):
        self.refuses("engine/ir/a.cpp", '#include "../kernels/x.h"\n', "begin with retia/")

    def test_refuses_includes_without_the_name_of_the_project(self):
        for room in ("kernels", "engine"):
            self.refuses("engine/ir/a.cpp", f'#include "{room}/x.h"\n', "begin with retia/")

    def test_refuses_headers_for_users(self):
        self.refuses("engine/ir/a.cpp", "#include <retia/retia.h>\n", "headers for users")


if __name__ == "__main__":
    unittest.main()
