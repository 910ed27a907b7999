"""Runs scripts/quickstart: it ends with the run directory and a test accuracy of at least 95 %."""
import json
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Quickstart(unittest.TestCase):
    def test_it_finds_and_trains_an_architecture(self):
        done = subprocess.run([ROOT / "scripts/quickstart"], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        lines = done.stdout.strip().splitlines()
        run = re.fullmatch(r"run directory (\S+)", lines[-2]).group(1)
        accuracy = float(re.fullmatch(r"test accuracy ([0-9.]+) %", lines[-1]).group(1))
        self.assertGreaterEqual(accuracy, 95)
        architecture = json.loads((ROOT / run / "architecture.json").read_text())
        self.assertEqual(architecture["format"], "retia.architecture")


if __name__ == "__main__":
    unittest.main()
