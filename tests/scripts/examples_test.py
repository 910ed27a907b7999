"""Runs the programs of examples/, and checks that docs/own_parts.md shows what is built."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
PAGE = (ROOT / "docs/own_parts.md").read_text()
EXPLORE = ["explore", "--max-trials", "3", "--epochs", "1", "--threads", "1", "--out", "run"]


class Examples(unittest.TestCase):
    def run_in_folder(self, *words):
        """Runs a program in a new folder; returns the architecture that it leaves."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([PROGRAMS / words[0], *words[1:]], cwd=folder, text=True,
                                  capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            (found,) = pathlib.Path(folder).rglob("architecture.json")
            return json.loads(found.read_text())

    def test_the_page_shows_what_is_built(self):
        shown = re.findall(r"```cpp\n(.*?)```", PAGE, re.S)
        for name in ("own_strategy", "own_data_set", "own_operation", "search_as_a_library"):
            self.assertIn((ROOT / f"examples/{name}.cpp").read_text(), shown, name)

    def test_a_strategy(self):
        self.run_in_folder("own_strategy", *EXPLORE, "--space", "tiny", "--strategy", "climb",
                           "--evaluator", "classification", "--data", "synthetic", "--set",
                           "data.limit=64")

    def test_a_data_set(self):
        self.run_in_folder("own_data_set", *EXPLORE, "--space", "tiny", "--strategy", "grid",
                           "--evaluator", "classification", "--data", "stripes", "--set",
                           "data.limit=64")

    def test_an_operation(self):
        found = self.run_in_folder("own_operation", "search", "--space", "reader", "--algorithm",
                                   "darts", "--data", "synthetic", "--epochs", "1", "--threads", "1",
                                   "--batch-size", "16", "--set", "data.limit=64", "--out", "run")
        self.assertIn(found["choices"]["read"], ("one", "two"))

    def test_a_search_as_a_library(self):
        found = self.run_in_folder("search_as_a_library")
        self.assertEqual(found["space"], "darts_cnn")


if __name__ == "__main__":
    unittest.main()
