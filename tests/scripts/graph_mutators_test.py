"""Runs what docs/graph_mutators.md shows: its commands and its programs."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
PAGE = (ROOT / "docs/graph_mutators.md").read_text()


def run(words, folder):
    return subprocess.run(words, cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})


class GraphMutators(unittest.TestCase):
    def test_its_programs_are_those_that_are_built(self):
        shown = re.findall(r"```cpp\n(.*?)```", PAGE, re.S)
        for name in ("mnasnet_search", "mnist_search"):
            self.assertIn((ROOT / f"examples/{name}.cpp").read_text(), shown)

    def test_its_commands_run(self):
        with tempfile.TemporaryDirectory() as folder:
            for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S):
                for line in block.replace("\\\n", " ").splitlines():
                    words = line.split()
                    words[0] = str(PROGRAMS / pathlib.Path(words[0]).name)
                    limit = [] if "space" in words[1:2] else ["--set", "data.limit=128", "--threads", "1"]
                    with self.subTest(line):
                        done = run(words + limit, folder)
                        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
                        if "--debug" in words:
                            self.assertRegex(done.stdout, r'normal/2: \["\d-2","\d-2"\]')
                            self.assertRegex(done.stdout, r"accuracy [01](\.\d+)?")
                            self.assertEqual(os.listdir(folder), [])

    def test_its_search_tries_ten_models_once_each(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run([PROGRAMS / "mnasnet_search", folder], folder)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            trials = re.findall(r"^trial \d+: (\{.*\}) ([\d.]+)$", done.stdout, re.M)
            self.assertEqual(len(trials), 10)
            self.assertEqual(len({choices for choices, _ in trials}), 10)
            # Two passes through 500 digits teach any of these networks more than guessing.
            self.assertGreater(max(float(score) for _, score in trials), 0.3)
            again = run([PROGRAMS / "mnasnet_search", folder], folder)
            self.assertEqual(again.stdout, done.stdout, "a search that has ended is not run again")

    def test_its_debug_run_writes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run([PROGRAMS / "mnasnet_search"], folder)
            self.assertRegex(done.stdout, r"^\{mutable_0/0: \d.*\} [\d.]+\n$")
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
