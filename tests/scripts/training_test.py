"""Runs what docs/training.md shows, searches and trainings shortened."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
PAGE = (ROOT / "docs/training.md").read_text()
SHORTER = ["--set", "trainer.epochs=2", "--set", "data.limit=128", "--threads", "1"]
SMALLER = ["--set", "space.channels=4", "--set", "space.layers=3", "--set", "space.nodes=2"]


class Training(unittest.TestCase):
    def test_its_commands_run(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S):
                for line in block.replace("\\\n", " ").splitlines():
                    words = line.split()
                    self.assertEqual(words[0], "build/release/bin/retia")
                    words = [PROGRAMS / "retia"] + words[1:] + SHORTER + SMALLER
                    with self.subTest(line):
                        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
                        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            written = json.loads((folder / "runs/lower/config.json").read_text())
            self.assertEqual(written["run"]["precision"], "bf16")
            lines = [json.loads(line) for line in
                     (folder / "runs/trained/metrics.jsonl").read_text().splitlines()]
            self.assertLess(lines[0]["lr"], lines[1]["lr"])  # it warms up

    def test_its_table_names_what_there_is(self):
        written = set(re.findall(r"^\| `([a-z_.]+)`", PAGE, re.M))
        with tempfile.TemporaryDirectory() as folder:
            for key in written:
                done = subprocess.run(
                    [PROGRAMS / "retia", "search", "--space", "tiny", "--out", "run", "--set",
                     key + '=["no such value"]'], cwd=folder, capture_output=True, text=True)
                self.assertNotIn("unknown", done.stderr, key)
                self.assertEqual(done.returncode, 2, key)


if __name__ == "__main__":
    unittest.main()
