"""Checks the projection of docs/scaling.md against numbers by hand, and the page against the projection."""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from project_scaling import Cluster, all_reduce, efficiency, step  # noqa: E402
from scaling import tables  # noqa: E402

PAGE = (ROOT / "docs/scaling.md").read_text()
ROUND = Cluster(gpus_a_node=4, inside=1e9, between=1e8, hop_inside=1e-3, hop_between=1e-3)


def traffic(n_bytes, calls):
    return {"bytes": n_bytes, "calls": calls}


class AllReduce(unittest.TestCase):
    def test_of_one_gpu_is_nothing(self):
        self.assertEqual(all_reduce(1e9, 1, ROUND), 0)

    def test_is_a_ring_within_a_node_where_it_is_large(self):
        self.assertAlmostEqual(all_reduce(1e9, 2, ROUND), 2 * (0.5 + 0.001))
        self.assertAlmostEqual(all_reduce(4e9, 4, ROUND), 6 * (1 + 0.001))

    def test_sums_parts_between_nodes_by_a_ring_where_they_are_large(self):
        self.assertAlmostEqual(all_reduce(4e9, 8, ROUND), 6.006 + 2 * (5 + 0.001))

    def test_and_by_a_tree_where_they_are_small(self):
        self.assertAlmostEqual(all_reduce(0, 4 * 64, ROUND), 2 * 2 * 0.001 + 2 * 6 * 0.001)


class Step(unittest.TestCase):
    ROW = {"gradients": traffic(8e9, 2), "statistics": traffic(0, 3), "agreement": traffic(0, 1)}

    def test_hides_a_part_of_the_gradients_only(self):
        # On 4 GPUs a call for gradients takes 6.006 s, any other one 0.004 s.
        self.assertAlmostEqual(step(self.ROW, 4, 10, 0, ROUND), 10 + 2 * 6.006 + 4 * 0.004)
        self.assertAlmostEqual(step(self.ROW, 4, 10, 0.25, ROUND), 10 + 1.5 * 6.006 + 4 * 0.004)

    def test_is_as_long_as_it_computes_where_nobody_is_called(self):
        self.assertEqual(efficiency(self.ROW, 1, 10, 0, ROUND), 1)
        silent = dict.fromkeys(("gradients", "statistics", "agreement"), traffic(0, 0))
        self.assertEqual(efficiency(silent, 512, 10, 0, ROUND), 1)


class Page(unittest.TestCase):
    def test_shows_what_its_commands_print_and_draw(self):
        for command in re.findall(r"^(bench/project_scaling\.py.*)$", PAGE, re.M):
            with self.subTest(command), tempfile.TemporaryDirectory() as folder:
                words = shlex.split(command)
                if "--svg" in words:
                    stored = ROOT / words[words.index("--svg") + 1]
                    words[words.index("--svg") + 1] = f"{folder}/out.svg"
                done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(done.stdout.strip(), PAGE)
                if "--svg" in words:
                    self.assertEqual(pathlib.Path(f"{folder}/out.svg").read_text(), stored.read_text())

    def test_shows_what_was_measured(self):
        stored = json.loads((ROOT / "bench/results/scaling_cpu.json").read_text())
        for table in tables(stored).split("\n\n"):
            self.assertIn(table, PAGE)


class Refusal(unittest.TestCase):
    def test_is_one_line(self):
        def error_of(*words):
            done = subprocess.run([sys.executable, "bench/project_scaling.py", *words], cwd=ROOT,
                                  capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0)
            return done.stderr.strip().splitlines()[-1]

        self.assertIn("no measurement of none on several ranks: there are darts", error_of("--case", "none"))
        self.assertIn("a part from 0 to 1, got 2.0", error_of("--overlap", "2"))


if __name__ == "__main__":
    unittest.main()
