"""`retia explore --runner slurm` on a real Slurm: its trials are those of a run in one process, each
once, whatever happens to the node, to the manager, and to jobs."""
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from slurm_cluster import SlurmCluster, wait_until

PROGRAM = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
# What a model is worth, half a second later.
SCORE = "sleep 0.5; python3 -c 'import sys, zlib; print(zlib.crc32(sys.stdin.buffer.read()) / 2**32)'"


def explore(out, runner, n_trials, concurrency=2, score=SCORE, more=()):
    words = [PROGRAM, "explore", "--space", "nasbench201", "--strategy", "evolution", "--evaluator",
             "command", "--set", f"evaluator.command={score}", "--set", "strategy.population=4", "--set",
             "strategy.sample=2",
             "--max-trials", n_trials, "--concurrency", concurrency, "--seed", 1, "--out", out,
             "--resume", "--runner", runner, *more]
    return [str(word) for word in words]


class Explorations(unittest.TestCase):
    def setUp(self):
        # More CPUs than jobs at a time: who keeps to two is the program.
        self.slurm = self.enterContext(SlurmCluster(n_cpus=4))
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, *arguments, more=("--set", "runner.poll=0.2"), **options):
        """An exploration on Slurm that goes on while the test does."""
        return subprocess.Popen(
            explore(*arguments[:1], "slurm", *arguments[1:], more=more, **options), cwd=self.folder,
            env=self.slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self, exploration):
        try:
            output, _ = exploration.communicate(timeout=200)
        except subprocess.TimeoutExpired as late:
            self.fail(f"{late.output}{self.slurm.jobs('%i|%T|%r')}{self.slurm.story()}")
        self.assertEqual(exploration.returncode, 0, output + self.slurm.story())
        return output

    def trials(self, out):
        done = subprocess.run([PROGRAM, "show", out, "--format", "json"], cwd=self.folder, text=True,
                              capture_output=True, check=True)
        return json.loads(done.stdout)

    def told(self, out):
        """What was learnt from each trial: what a run in one process tells as well."""
        return [{key: trial[key] for key in ("trial", "status", "choices", "metric")}
                for trial in self.trials(out)]

    def inline(self, n_trials):
        score = SCORE.replace("sleep 0.5; ", "")
        subprocess.run(explore("inline", "inline", n_trials, score=score), cwd=self.folder,
                       capture_output=True, check=True)
        trials = self.told("inline")
        self.assertEqual([trial["trial"] for trial in trials], list(range(n_trials)))
        return trials

    def wait_for(self, happened, what, exploration):
        """Fails at once where the exploration ends first."""
        wait_until(lambda: happened() or exploration.poll() is not None, what, 120, self.slurm.story)
        if not happened():
            self.fail(f"it ended before {what}: {exploration.communicate()[0]}")

    def n_running(self):
        return [state for _, state in self.slurm.jobs()].count("RUNNING")

    def n_ended(self):
        return [state for _, state in self.slurm.jobs()].count("COMPLETED")

    def test_twenty_trials_two_at_a_time_are_those_of_one_process_though_its_node_is_lost(self):
        exploration = self.start("run", 20, score=f"echo 1 >>steps; {SCORE}; echo -1 >>steps")
        self.wait_for(lambda: self.n_ended() >= 6, "six jobs ended", exploration)
        self.slurm.kill_node()
        time.sleep(3)
        self.slurm.start_node()
        self.finish(exploration)

        at_once = list(itertools.accumulate(map(int, (self.folder / "steps").read_text().split())))
        self.assertEqual(len(at_once), 40)  # each began and ended once
        self.assertEqual((max(at_once), at_once[-1]), (2, 0))
        self.assertEqual(self.told("run"), self.inline(20))
        names = self.slurm.jobs("%j")
        self.assertEqual({name for name, in names}, {"retia-run"})

    def test_a_manager_that_is_killed_goes_on_with_its_jobs(self):
        score = SCORE.replace("sleep 0.5", "sleep 3")
        exploration = self.start("run", 6, score=score)
        self.wait_for(lambda: self.n_running() == 2, "two jobs ran", exploration)
        exploration.kill()
        exploration.communicate()
        self.assertEqual(self.n_running(), 2)
        self.assertEqual(len(self.slurm.jobs()), 2)
        exploration = self.start("run", 6, score=score)
        self.finish(exploration)
        self.assertEqual(len(self.slurm.jobs()), 6, "a job for each trial")
        self.assertEqual(self.told("run"), self.inline(6))

    def test_a_job_that_is_cancelled_is_queued_again_and_one_that_dies_fails_its_trial(self):
        exploration = self.start("run", 4, concurrency=1)
        self.wait_for(lambda: self.n_running() == 1, "a job ran", exploration)
        first = self.slurm.jobs()[0][0]
        self.slurm.run("scancel", first, check=True)
        self.finish(exploration)
        attempts = [trial["attempts"] for trial in self.trials("run")]
        self.assertEqual(sorted(attempts), [1, 1, 1, 2])

        # A command of the evaluator's that kills what runs it, which its two keepers are between.
        kills = "kill -9 $(ps -o ppid= -p $(ps -o ppid= -p $PPID))"
        dying = self.start("dying", 2, score=kills, more=(
            "--set", "runner.poll=0.2", "--set", "runner.retries=1"))
        output, _ = dying.communicate(timeout=120)
        self.assertEqual(dying.returncode, 1, output)
        for trial in self.trials("dying"):
            self.assertEqual((trial["status"], trial["attempts"]), ("failed", 2))
            self.assertRegex(trial["error"],
                             r"its Slurm job \w+ ended as FAILED .* without a result")

    def test_what_is_stopped_is_cancelled_and_a_controller_that_is_away_is_waited_for(self):
        score = SCORE.replace("sleep 0.5", "sleep 2")
        exploration = self.start("run", 6, score=score)
        self.wait_for(lambda: self.n_running() == 2, "two jobs ran", exploration)
        exploration.send_signal(signal.SIGTERM)
        output, _ = exploration.communicate(timeout=60)
        self.assertEqual(exploration.returncode, 130, output)
        wait_until(lambda: self.n_running() == 0, "its jobs to be cancelled")

        exploration = self.start("run", 6, score=score)
        self.wait_for(lambda: self.n_running() == 2, "two jobs ran", exploration)
        self.slurm.stop_controller()
        lines = []
        wait_until(lambda: lines.append(exploration.stdout.readline()) or
                   "does not answer" in lines[-1], "it to say that Slurm does not answer")
        self.slurm.start_controller()
        output = "".join(lines) + self.finish(exploration)
        self.assertEqual(output.count("Slurm does not answer"), 1, output)
        self.assertEqual(self.told("run"), self.inline(6))

    def test_in_an_allocation_trials_are_its_steps(self):
        command = " ".join("'" + word.replace("'", "'\\''") + "'" for word in explore(
            "run", "slurm", 4, more=("--set", "runner.poll=0.2")))
        done = self.slurm.run("sbatch", "--wait", "--ntasks=2", "--output=log.txt", cwd=self.folder,
                              input=f"#!/bin/sh\n{command}\n")
        log = (self.folder / "log.txt").read_text()
        self.assertEqual(done.returncode, 0, log)
        self.assertEqual(len(self.slurm.jobs()), 1)
        self.assertEqual(self.told("run"), self.inline(4))

    def test_bad_input_gets_one_line(self):
        for more, line in (
                (["--data", "digits", "--set", "runner.partition=none"],
                 "^retia: sbatch takes no job: .*Invalid partition name.*\n$"),
                (["--set", "runner.pol=1"], "unknown key 'pol'.*poll")):
            done = self.slurm.run(*explore("bad", "slurm", 2, more=more), cwd=self.folder)
            self.assertIn(done.returncode, (1, 2))
            self.assertRegex(done.stderr, line)
            shutil.rmtree(self.folder / "bad", ignore_errors=True)


if __name__ == "__main__":
    unittest.main()
