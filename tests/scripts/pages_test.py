"""Runs the commands of docs/data.md, and those of the parts of other pages that no other test runs."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs


class Pages(unittest.TestCase):
    def run_blocks(self, text):
        """Runs the shell blocks of `text` in a new folder; returns what they printed."""
        printed = ""
        with tempfile.TemporaryDirectory() as folder:
            for block in re.findall(r"```bash\n(.*?)```", text, re.S):
                for line in block.replace("\\\n", " ").splitlines():
                    done = subprocess.run(line.replace("build/release/bin", str(PROGRAMS)), shell=True, cwd=folder,
                                          env=dict(os.environ, OMP_NUM_THREADS="1"), capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, line + "\n" + done.stderr[-2000:])
                    printed += done.stdout
        return printed

    def test_data(self):
        printed = self.run_blocks((ROOT / "docs/data.md").read_text())
        # The class is a comparison of two columns, which a network learns.
        accuracy = float(re.search(r"^test accuracy (\S+) %", printed, re.M).group(1))
        self.assertGreater(accuracy, 80)
        self.assertRegex(printed, r"best trial \d+: mse ")

    def test_a_space_as_a_file(self):
        page = (ROOT / "docs/spaces.md").read_text()
        self.assertIn("test accuracy", self.run_blocks(page.split("## A space as a file")[1]))

    def test_rank(self):
        page = (ROOT / "docs/algorithms.md").read_text()
        self.assertIn("Kendall's tau", self.run_blocks(page.split("## Costs")[0]))


if __name__ == "__main__":
    unittest.main()
