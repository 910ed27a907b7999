"""The job files of scripts/slurm on a real Slurm, and the commands of docs/clusters.md."""
import json
import os
import pathlib
import re
import tempfile
import unittest

from slurm_cluster import SlurmCluster, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["RETIA_PROGRAMS"])  # the folder of the built programs
LITTLE = ["--space", "tiny", "--data", "digits", "--threads", "1", "--epochs", "30"]
LONG = [*LITTLE[:-1], "200"]  # still running when Slurm comes to preempt it

# Stands in for the program: says what it is and what it got; done when it is told --resume again.
STAND_IN = """#!/usr/bin/env bash
echo "rank $SLURM_PROCID: $*"
[ ! -e "again-$SLURM_PROCID" ] || exit 0
trap 'touch "again-$SLURM_PROCID"; exit 130' USR1
echo "ready"
while :; do sleep 0.1; done
"""


class JobFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.slurm = cls.enterClassContext(SlurmCluster())

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "build/release").mkdir(parents=True)
        os.symlink(PROGRAMS, self.folder / "build/release/bin")
        for name in ("scripts", "data"):
            os.symlink(ROOT / name, self.folder / name)

    def submit(self, file, *words, options=()):
        """The id of a job of scripts/slurm."""
        done = self.slurm.run("sbatch", "--parsable", "--output=log-%j.txt", *options,
                              f"scripts/slurm/{file}.sbatch", *words, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def log(self, job):
        path = self.folder / f"log-{job}.txt"
        return path.read_text() if path.exists() else ""

    def wait_for(self, job, state):
        wait_until(lambda: [job, state] in self.slurm.jobs(), f"job {job} to be {state}", 120,
                   lambda: f"; {self.slurm.jobs('%i|%T|%r')}\n{self.log(job)}{self.slurm.story()}")

    def wait_for_epochs(self, out, n, job):
        """Until a run has trained n epochs; fails where it has ended meanwhile."""
        metrics = self.folder / out / "metrics.jsonl"
        wait_until(lambda: metrics.exists() and len(metrics.read_text().splitlines()) >= n,
                   f"{out} to train {n} epochs", story=lambda: self.log(job))
        self.assertFalse((self.folder / out / "finished.json").exists(), "it has ended already")

    def epochs(self, out):
        lines = (self.folder / out / "metrics.jsonl").read_text().splitlines()
        return [{key: value for key, value in json.loads(line).items()
                 if key not in ("seconds", "images_per_second", "peak_memory")} for line in lines]

    def test_a_search_and_its_retraining_go_on_after_a_signal_to_the_same_numbers(self):
        def run(file, out, signals, *words):
            job = self.submit(file, *LITTLE, *words, "--out", out)
            for n in range(signals):
                self.wait_for_epochs(out, 3 + 8 * n, job)
                self.slurm.run("scancel", "--batch", "--signal=USR1", job, check=True)
                wait_until(lambda: self.log(job).count("queued again") == n + 1,
                           "the job to be queued again", story=lambda: self.log(job))
            self.wait_for(job, "COMPLETED")
            self.assertEqual(self.log(job).count("queued again"), signals, self.log(job))
            return job

        run("search", "whole", 0)
        run("search", "parts", 2)
        self.assertEqual(self.epochs("parts"), self.epochs("whole"))
        found = (self.folder / "whole/architecture.json").read_text()
        self.assertEqual((self.folder / "parts/architecture.json").read_text(), found)

        chosen = ["--architecture", "whole/architecture.json"]
        results = [re.findall("test accuracy .*", self.log(run("retrain", out, signals, *chosen)))
                   for out, signals in (("model", 0), ("model-in-parts", 1))]
        self.assertEqual(len(results[0]), 1)
        self.assertEqual(results[0], results[1])
        self.assertEqual(self.epochs("model-in-parts"), self.epochs("model"))

    def test_a_job_that_is_preempted_comes_back(self):
        job = self.submit("search", *LONG, "--out", "preempted", options=["--ntasks=1"])
        self.wait_for_epochs("preempted", 3, job)
        self.slurm.run("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null",
                       "--wrap", "sleep 1", check=True)
        self.wait_for(job, "COMPLETED")
        self.assertIn("queued again", self.log(job))
        self.assertEqual(len(self.epochs("preempted")), 200)

    def test_each_task_of_a_job_is_started_and_signalled(self):
        program = self.folder / "program"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        job = self.submit("search", "--out", "x", options=[
            "--ntasks=2", f"--export=ALL,RETIA={program}"])
        wait_until(lambda: self.log(job).count("ready") == 2, "both tasks to begin")
        self.slurm.run("scancel", "--batch", "--signal=USR1", job, check=True)
        self.wait_for(job, "COMPLETED")
        for rank in (0, 1):
            self.assertEqual(self.log(job).count(f"rank {rank}: search --out x --resume\n"), 2)

    def test_two_tasks_train_one_model_and_go_on_after_they_were_ended(self):
        exact = ["--precision", "fp64", "--set", "trainer.sync_batch_norm=true"]
        one = self.submit("search", *LITTLE, *exact, "--out", "one", options=["--ntasks=1"])
        self.wait_for(one, "COMPLETED")

        two = [*LITTLE, *exact, "--out", "two"]
        job = self.submit("search", *two, options=["--ntasks=2"])
        self.wait_for_epochs("two", 3, job)
        self.slurm.run("scancel", job, check=True)  # SIGTERM to all
        self.wait_for(job, "CANCELLED")
        wait_until(lambda: "stopped after step" in self.log(job), "it to say so",
                   story=lambda: self.log(job))
        job = self.submit("search", *two, options=["--ntasks=2"])
        self.wait_for_epochs("two", 10, job)
        self.slurm.run("scancel", "--batch", "--signal=USR1", job, check=True)
        self.wait_for(job, "COMPLETED")
        self.assertEqual(self.log(job).count("resumed after step"), 2, self.log(job))
        self.assertEqual(self.log(job).count("queued again"), 1, self.log(job))

        for lines in zip(self.epochs("two"), self.epochs("one"), strict=True):
            for key, value in lines[1].items():
                self.assertAlmostEqual(lines[0][key], value, delta=1e-9, msg=key)
        found = (self.folder / "one/architecture.json").read_text()
        self.assertEqual((self.folder / "two/architecture.json").read_text(), found)

    def test_one_that_is_cancelled_or_fails_stays_away(self):
        job = self.submit("search", *LITTLE, "--out", "cancelled")
        self.wait_for_epochs("cancelled", 3, job)
        self.slurm.run("scancel", job, check=True)
        self.wait_for(job, "CANCELLED")
        wait_until(lambda: "stopped after step" in self.log(job), "it to say so")
        self.assertNotIn("queued again", self.log(job))

        failing = self.submit("search", "--space", "no-such", "--out", "failed")
        self.wait_for(failing, "FAILED")
        self.assertIn("unknown space 'no-such'", self.log(failing))
        exit_code = self.slurm.run("scontrol", "show", "job", failing).stdout
        self.assertIn("ExitCode=2:0", exit_code)
        self.assertNotIn("queued again", self.log(failing))

    def test_the_commands_of_the_page_run(self):
        page = (ROOT / "docs/clusters.md").read_text()
        blocks = re.findall(r"```bash\n(.*?)```", page, re.S)
        self.assertTrue(blocks)
        for block in blocks:
            with self.subTest(block):
                done = self.slurm.run("bash", "-e", "-c", block, cwd=self.folder)
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "runs/explore/architecture.json").exists())
        wait_until((self.folder / "runs/retrain/finished.json").exists, "the retraining to finish", 180,
                   story=lambda: "".join(log.read_text() for log in self.folder.glob("*.log")))


if __name__ == "__main__":
    unittest.main()
