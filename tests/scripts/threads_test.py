#!/usr/bin/env python3
"""Runs commands as a user does who leaves --threads and OMP_NUM_THREADS alone: with real threads."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

RETIA = pathlib.Path(os.environ["RETIA_PROGRAMS"], "retia")
THREADS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


class Threads(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name, "run")

    def run_retia(self, *words, **variables):
        environment = {name: value for name, value in os.environ.items() if name not in THREADS}
        done = subprocess.run([RETIA, *map(str, words)], capture_output=True, text=True,
                              env={**environment, **variables})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def objectives(self):
        shown = json.loads(self.run_retia("show", self.out, "--format", "json"))
        trials = shown["trials"] if isinstance(shown, dict) else shown
        return [trial["objectives"] for trial in trials]

    def explore(self, command, *words, **variables):
        self.run_retia("explore", "--space", "tiny", "--strategy", "random", "--evaluator", "command", "--set",
                       f"evaluator.command={command}", "--out", self.out, *words, **variables)
        return [value for values in self.objectives() for value in
                (values if isinstance(values, list) else values.values())]

    def test_threads_that_wait_spin_briefly_unless_told_otherwise(self):
        if os.cpu_count() == 1:
            self.skipTest("one core has no threads to wait for")
        self.assertEqual(self.explore("echo $GOMP_SPINCOUNT", "--max-trials", 1), [4000])

    def test_what_the_user_says_of_waiting_stands(self):
        self.assertEqual(self.explore("echo $GOMP_SPINCOUNT", "--max-trials", 1, GOMP_SPINCOUNT="77"), [77])

    def test_what_the_user_says_of_the_policy_stands(self):
        self.assertEqual(self.explore("echo ${GOMP_SPINCOUNT:-1}", "--max-trials", 1, OMP_WAIT_POLICY="active"),
                         [1])

    def test_a_pool_of_processes_trains_with_threads(self):
        """The server that forks them must have none: a fork would leave locks held for ever."""
        for concurrency in (1, 2):
            out = self.out / str(concurrency)
            self.run_retia("explore", "--space", "tiny", "--strategy", "grid", "--evaluator",
                           "classification", "--data", "digits", "--set", "data.limit=256", "--epochs", 1,
                           "--max-trials", 4, "--runner", "local", "--concurrency", concurrency, "--out", out)
            shown = self.run_retia("show", out, "--format", "json")
            self.assertEqual(shown.count('"succeeded"'), 4, shown)

    def test_a_search_ends_where_nothing_is_said_of_threads(self):
        words = ["search", "--space", "darts_cnn", "--algorithm", "darts", "--data", "digits", "--set",
                 "data.limit=256", "--set", "space.channels=4", "--set", "space.layers=3", "--set",
                 "space.nodes=2", "--out", self.out]
        self.run_retia(*words, "--epochs", 1)
        lines = (self.out / "metrics.jsonl").read_text().splitlines()
        self.assertEqual(len(lines), 1)


if __name__ == "__main__":
    unittest.main()
