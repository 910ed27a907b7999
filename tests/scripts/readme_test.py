"""Runs what the README shows: its commands (searches shortened) and its program."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
README = (ROOT / "README.md").read_text()
# Scripts that set up, build and run everything: the one is what runs this test, the others have tests.
SCRIPTS = {"./scripts/quickstart", "./scripts/test", "scripts/check", "scripts/setup"}
SHORTER = ["--set", "trainer.epochs=1", "--set", "data.limit=128", "--set", "trainer.batch_size=16",
           "--threads", "1"]
SMALLER = ["--set", "space.channels=4", "--set", "space.layers=3"]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def commands():
    for block in blocks("bash"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield line.split("#")[0].split()


class Readme(unittest.TestCase):
    def test_its_commands_run(self):
        with tempfile.TemporaryDirectory() as folder:
            for link in ("scripts", "build", "bench"):
                os.symlink(ROOT / link, pathlib.Path(folder) / link)
            for words in commands():
                if words[0] in SCRIPTS or words[0].startswith(("bench/", "cmake", "scripts/fetch")):
                    self.assertTrue(words[0] == "cmake" or (ROOT / words[0]).exists(), words[0])
                    continue
                self.assertEqual(words[0], "build/release/bin/retia")
                words[0] = str(PROGRAMS / "retia")
                if words[1] in ("search", "retrain", "explore"):
                    words = words + SHORTER + (SMALLER if "darts_cnn" in words else [])
                with self.subTest(" ".join(words)):
                    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_its_program_is_the_one_that_is_built(self):
        self.assertIn((ROOT / "examples/own_space.cpp").read_text(), blocks("cpp"))
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [PROGRAMS / "own_space", "search", "--space", "mine", "--algorithm", "spos", "--data",
                 "synthetic", "--out", "run", "--threads", "1", "--set", "trainer.epochs=1", "--set",
                 "data.limit=256", "--set", "algorithm.evolution.rounds=1"],
                cwd=folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            self.assertTrue((pathlib.Path(folder) / "run/architecture.json").exists())

    def test_the_algorithm_of_the_docs_is_the_one_that_is_built(self):
        page = (ROOT / "docs/algorithms.md").read_text()
        self.assertIn((ROOT / "examples/own_algorithm.cpp").read_text(), page)
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [PROGRAMS / "own_algorithm", "search", "--space", "tiny", "--algorithm", "fair_darts",
                 "--data", "synthetic", "--out", "run", "--threads", "1", "--set", "trainer.epochs=1",
                 "--set", "data.limit=256"], cwd=folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            self.assertTrue((pathlib.Path(folder) / "run/architecture.json").exists())
        listed = set(re.findall(r"^\| `(\w+)`", page.split("\n## ")[0], re.M))
        refused = subprocess.run(
            [PROGRAMS / "retia", "search", "--space", "tiny", "--algorithm", "none", "--out", "x"],
            capture_output=True, text=True).stderr
        self.assertEqual(listed, set(refused.split("known: ")[1].strip().split(", ")), refused)

    def test_the_command_of_the_docs_is_the_one_that_is_built(self):
        self.assertIn((ROOT / "examples/own_command.cpp").read_text(), (ROOT / "docs/commands.md").read_text())
        run = lambda *words: subprocess.run([PROGRAMS / "own_command", *words], capture_output=True, text=True)
        self.assertEqual(run("count", "--space", "tiny").stdout, "2 decisions\n")
        self.assertIn("--side must be at least 8, got 4", run("count", "--side", "4").stderr)
        self.assertIn("(8 to 1024; default 32)", run("help", "count").stdout)

    def test_the_spaces_of_the_docs_are_those_that_are_built(self):
        page = (ROOT / "docs/spaces.md").read_text()
        self.assertEqual("\n".join(re.findall(r"```cpp\n(.*?)```", page, re.S)),
                         (ROOT / "examples/every_choice.cpp").read_text())
        little = ["--data", "synthetic", "--threads", "1", "--set", "data.synthetic.n_train=64", "--set",
                  "data.synthetic.n_test=32", "--batch-size", "8", "--epochs", "1"]
        runs = [["explore", "--space", space, "--strategy", "random", "--max-trials", "3"]
                for space in ("connected", "sized", "deep", "celled")]
        settings = {"darts": [], "random": ["n_candidates=2", "recalibration_batches=1"],
                    "enas": ["controller_steps=1", "aggregate=2", "n_candidates=1"]}
        runs += [["search", "--space", space, "--algorithm", algorithm] +
                 [word for setting in chosen for word in ("--set", "algorithm." + setting)]
                 for space in ("connected", "deep", "celled") for algorithm, chosen in settings.items()]
        for words in runs:
            with self.subTest(" ".join(words)), tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([PROGRAMS / "every_choice", *words, *little, "--out", "run"],
                                      cwd=folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr[-2000:])
                self.assertTrue((pathlib.Path(folder) / "run/architecture.json").exists())
        done = subprocess.run([PROGRAMS / "every_choice"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertRegex(done.stdout, r"^\{fc: \d, pick: (\d|\[.*\]), scale: \d\} \[2, 4\]\n$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
