"""Runs what docs/exploring.md shows: its commands and its program."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
PAGE = (ROOT / "docs/exploring.md").read_text()


def run(words, folder):
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def table(section):
    """The names in the first column of the table beneath a heading."""
    return set(re.findall(r"^\| `(\w+)`", PAGE.split(f"## {section}\n")[1].split("\n## ")[0], re.M))


class Exploring(unittest.TestCase):
    def test_its_commands_run(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "build/release").mkdir(parents=True)
            os.symlink(PROGRAMS, pathlib.Path(folder) / "build/release/bin")
            for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S):
                with self.subTest(block):
                    done = run(["bash", "-e", "-c", block], folder)
                    self.assertEqual(done.returncode, 0, done.stderr[-2000:])
                    if "retia trial" in block:
                        self.assertIn("metric", json.loads(done.stdout.splitlines()[-1]))
            self.assertTrue((pathlib.Path(folder) / "runs/front/front.svg").exists())

    def test_its_program_is_the_one_that_is_built(self):
        self.assertIn((ROOT / "examples/own_evaluator.cpp").read_text(), PAGE)
        with tempfile.TemporaryDirectory() as folder:
            done = run([PROGRAMS / "own_evaluator", "explore", "--space", "tiny", "--strategy", "grid",
                        "--evaluator", "budget", "--set", "evaluator.multiply_adds=20000", "--data",
                        "synthetic", "--out", "run"], folder)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            self.assertIn("best trial", done.stdout)

    def test_its_tables_list_what_there_is(self):
        for option, section in (("--strategy", "Strategies"), ("--evaluator", "Evaluators"),
                                ("--runner", "Runners")):
            done = run([PROGRAMS / "retia", "explore", "--space", "tiny", option, "none", "--out", "x"],
                       ROOT)
            known = done.stderr.split("known: ")[1].strip().split(", ")
            self.assertEqual(table(section), set(known))


if __name__ == "__main__":
    unittest.main()
