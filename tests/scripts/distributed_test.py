"""Runs what docs/distributed.md shows."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
PAGE = (ROOT / "docs/distributed.md").read_text()


class Distributed(unittest.TestCase):
    def test_its_commands_run(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "build/release").mkdir(parents=True)
            os.symlink(PROGRAMS, folder / "build/release/bin")
            os.symlink(ROOT / ".venv", folder / ".venv")
            for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S):
                with self.subTest(block):
                    done = subprocess.run(["bash", "-e", "-c", block], cwd=folder,
                                          capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            self.assertEqual(done.stdout.count("inherited weights"), 1)
            self.assertTrue((folder / "runs/two/architecture.json").exists())
            lines = (folder / "runs/two/metrics.jsonl").read_text().splitlines()
            self.assertEqual(len(lines), 2)
            last = json.loads(lines[-1])
            self.assertGreater(last["communication"], 0)
            for purpose in ("gradients", "statistics", "agreement"):
                self.assertGreater(last[f"communication_{purpose}_bytes"], 0)
                self.assertGreater(last[f"communication_{purpose}_calls"], 0)
                self.assertLess(last[f"communication_{purpose}"], last["communication"])

    def test_torchrun_and_mpirun_come_to_what_one_process_does(self):
        launchers = {
            "one": [],
            "torchrun": [ROOT / ".venv/bin/torchrun", "--no-python", "--nproc-per-node", "2"],
            "mpirun": ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"],
        }
        metrics, found = {}, {}
        with tempfile.TemporaryDirectory() as folder:
            for name, launcher in launchers.items():
                out = pathlib.Path(folder) / name
                done = subprocess.run(
                    [*launcher, PROGRAMS / "retia", "search", "--space", "tiny", "--data", "digits",
                     "--set", "data.limit=128", "--batch-size", "16", "--epochs", "3", "--threads", "1",
                     "--precision", "fp64", "--set", "trainer.sync_batch_norm=true", "--out", out],
                    cwd=ROOT, capture_output=True, text=True,
                    env=dict(os.environ, OMP_NUM_THREADS="1"))
                self.assertEqual(done.returncode, 0, done.stderr[-2000:])
                self.assertEqual(done.stdout.count("inherited weights"), 1, "more than one rank prints")
                lines = (out / "metrics.jsonl").read_text().splitlines()
                metrics[name] = [json.loads(line) for line in lines]
                found[name] = (out / "architecture.json").read_text()
        for name in ("torchrun", "mpirun"):
            self.assertEqual(found[name], found["one"])
            for line, other in zip(metrics[name], metrics["one"], strict=True):
                self.assertIn("communication", line)
                for key in ("loss", "accuracy", "valid_loss", "valid_accuracy"):
                    self.assertAlmostEqual(line[key], other[key], delta=1e-9)

    def test_torchrun_ends_all_ranks_where_the_command_is_wrong(self):
        done = subprocess.run([ROOT / ".venv/bin/torchrun", "--no-python", "--nproc-per-node", "3",
                               PROGRAMS / "retia", "search", "--space", "tiny", "--data", "digits",
                               "--batch-size", "8", "--out", "nowhere/run"],
                              cwd=ROOT, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("cannot be shared evenly by 3 ranks", done.stderr)
        self.assertFalse((ROOT / "nowhere").exists())


if __name__ == "__main__":
    unittest.main()
