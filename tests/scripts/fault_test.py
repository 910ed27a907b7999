"""Runs that are killed at any moment and resumed come to the numbers of those that nobody disturbed,
to the bit, and never leave a file that cannot be read, nor a process; no trial is tried by two at once.

RETIA_FAULT_RUNS says how many (20), RETIA_FAULT_SEED at which moments (1), RETIA_FAULT_CASES which,
e.g. darts,enas.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

import numpy

from run_files import read_run, without_speed

PROGRAM = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
ROOT = pathlib.Path(__file__).resolve().parents[2]
N_RUNS = int(os.environ.get("RETIA_FAULT_RUNS", 20))
SEED = int(os.environ.get("RETIA_FAULT_SEED", 1))
CHOSEN = os.environ.get("RETIA_FAULT_CASES")
TIMEOUT = 10  # seconds after which ranks give one another up


def settings(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


CELLS = settings("space.channels=2", "space.layers=3", "space.nodes=2")
CHAIN = settings("space.channels=4", "space.layers=3")
EVOLUTION = settings("algorithm.evolution.population=4", "algorithm.evolution.rounds=2",
                     "algorithm.recalibration_batches=2")
# In double precision and with shared batch statistics another number of ranks comes to the same.
SHARED = ["--precision", "fp64", *settings("trainer.sync_batch_norm=true", "trainer.digest_every=1",
                                           f"run.timeout={TIMEOUT}")]
TINY = ["--space", "tiny"]
RETRAIN = ["retrain", *TINY, "--architecture", "chosen.json"]


# A trial that another process still tries, or whose child outlived it, is written into `twice`.
COMMAND = ("exec 9>$MARKS/$RETIA_TRIAL; flock -n 9 || echo $RETIA_TRIAL >>$MARKS/twice; "
           "(setsid sleep 100 &); sleep 0.2; echo 0.$RETIA_TRIAL")


# Fails while the disk is "full".
FAILS = "test ! -e $MARKS/full -o $RETIA_TRIAL -ge 3 || exit 1; "


def explore_by_commands(*more, command=COMMAND):
    return ["explore", *TINY, "--strategy", "evolution", "--max-trials", "8", "--evaluator", "command", *more,
            *settings("strategy.population=3", "strategy.sample=2", f"evaluator.command={command}")]


def search(algorithm, space, *more):
    return ["search", "--algorithm", algorithm, "--space", space, *more]


# Name: command, number of ranks.
CASES = {
    "darts": (search("darts", "tiny"), 1),
    "spos": (search("spos", "spos_chain", *CHAIN, *EVOLUTION), 1),
    "enas": (search("enas", "enas_micro", *CELLS, *settings(
        "algorithm.controller_steps=2", "algorithm.aggregate=2", "algorithm.n_candidates=2",
        "algorithm.recalibration_batches=2")), 1),
    "retrain": (RETRAIN, 1),
    "darts on two ranks": (search("darts", "tiny", *SHARED), 2),
    "spos on two ranks": (search("spos", "spos_chain", *CHAIN, *EVOLUTION, *SHARED), 2),
    "explore": (["explore", *TINY, "--strategy", "evolution", "--max-trials", "6", *settings(
        "strategy.population=3", "strategy.sample=2")], 1),
    "commands": (explore_by_commands(), 1),
    "commands in processes": (explore_by_commands("--runner", "local", "--concurrency", "2", *settings(
        "runner.retries=10")), 1),
    "retry": (explore_by_commands(command=FAILS + COMMAND), 1),
    "import": (explore_by_commands("--import", "old"), 1),
    "explore in processes": (["explore", *TINY, "--strategy", "random", "--max-trials", "6", "--runner", "local",
                              "--concurrency", "2", *settings("runner.retries=10")], 1),
    "gdas": (search("gdas", "darts_cnn", *CELLS), 1),
    "proxyless": (search("proxyless", "spos_chain", *CHAIN, *settings("algorithm.warmup=0")), 1),
    "p_darts": (search("p_darts", "darts_cnn", *CELLS, *settings(
        "algorithm.extra_layers=[0,1]", "algorithm.dropped=[2]", "algorithm.skip_dropout=[0.2,0.3]",
        "algorithm.warmup=0")), 1),
    "enas on two ranks": (search("enas", "enas_micro", *CELLS, *SHARED, *settings(
        "algorithm.controller_steps=2", "algorithm.aggregate=2", "algorithm.n_candidates=2",
        "algorithm.recalibration_batches=2")), 2),
    "retrain on two ranks": ([*RETRAIN, *SHARED], 2),
    "fairnas": (search("fairnas", "spos_chain", *CHAIN, *EVOLUTION), 1),
    "second-order darts": (search("darts", "darts_cnn", *CELLS, *settings("algorithm.order=2")), 1),
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def facts_of(process):
    """The parent and the words of a process; none where it has ended."""
    try:
        words = pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        stat = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, []
    return int(stat[1]), words


def children_of(parent):
    processes = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [process for process in processes if facts_of(process)[0] == parent]


def processes_with(variable):
    """The processes that have it in their environment."""
    found = []
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable.encode() in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
        except OSError:
            pass
    return found


class Job:
    """A command on so many ranks, each of which writes what it says into a file."""

    def __init__(self, words, n_ranks, folder):
        port = str(free_port())
        self.mark = uuid.uuid4().hex
        self.logs = [folder / f"rank-{rank}.txt" for rank in range(n_ranks)]
        self.ranks = []
        for rank, log in enumerate(self.logs):
            environment = dict(os.environ, OMP_NUM_THREADS="1", MARKS=str(folder / "marks"), JOB=self.mark)
            if n_ranks > 1:
                environment |= dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(n_ranks),
                                    MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
            with open(log, "w") as output:
                self.ranks.append(subprocess.Popen([PROGRAM, *words], cwd=folder, env=environment,
                                                   stdout=output, stderr=subprocess.STDOUT))

    def runs(self):
        return any(rank.poll() is None for rank in self.ranks)

    def kill(self, victims):
        for victim in victims:
            self.ranks[victim].send_signal(signal.SIGKILL)

    def helpers(self):
        """The process that starts trials, and those that run one."""
        servers = [child for child in children_of(self.ranks[0].pid) if b"--server" in facts_of(child)[1]]
        return servers + [child for server in servers for child in children_of(server)]

    def left_over(self):
        """The processes that the job has started and that outlive it by seconds."""
        end = time.monotonic() + 10
        while processes_with(f"JOB={self.mark}") and time.monotonic() < end:
            time.sleep(0.01)
        return [facts_of(process) for process in processes_with(f"JOB={self.mark}")]

    def wait(self):
        return [rank.wait(timeout=120) for rank in self.ranks]

    def said(self, rank=0):
        return self.logs[rank].read_text()


def newest_step(run):
    """Of the last stage's checkpoints; none: 0."""
    folders = sorted(run.glob("checkpoints/stage*")) or [run / "checkpoints"]
    steps = [int(path.stem[5:]) for path in folders[-1].glob("step-*.safetensors")]
    return max(steps, default=0)


class Faults(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.folder / "marks").mkdir()
        (cls.folder / "chosen.json").write_text(json.dumps({"body": "conv3x3", "skip": "body"}))
        cls.undisturbed = {}
        cls.n_helpers_killed = 0

    def words(self, case, out):
        return [*CASES[case][0], "--data", "digits", "--data-dir", ROOT / "data/digits", "--batch-size", "12",
                "--epochs", "4", "--threads", "1", "--resume", "--out", out,
                *settings("data.limit=48", "data.augment.crop_padding=1")]

    def prepare(self, case, out):
        """Runs what comes before a command: trials that fail, or an exploration to be imported."""
        full, old = self.folder / "marks/full", self.folder / "old"
        if case == "retry":
            full.touch()
            Job(self.words(case, out), 1, self.folder).wait()
            full.unlink()
            self.assertEqual(self.n_failed(self.folder / out), 3)
        if case == "import" and not old.exists():
            words = self.words("commands", "old")
            words[words.index("--max-trials") + 1] = "2"
            job = Job(words, 1, self.folder)
            self.assertEqual(job.wait(), [0], job.said())

    @staticmethod
    def n_failed(run):
        """The number of failed trials in a store."""
        return [row[1] for row in read_run(run).get("experiment.sqlite", [])].count("failed")

    def next_words(self, case, out):
        """The command that begins or resumes a run; failed trials are retried once."""
        retries = case == "retry" and self.n_failed(self.folder / out) > 0
        return [*self.words(case, out), *(["--retry", "failed"] if retries else [])]

    def expected(self, case):
        """What an undisturbed run leaves and says at its end, and the seconds that it takes."""
        if case not in self.undisturbed:
            self.prepare(case, "whole")
            began = time.monotonic()
            job = Job(self.next_words(case, "whole"), CASES[case][1], self.folder)
            self.assertEqual(set(job.wait()), {0}, job.said())
            seconds = time.monotonic() - began
            whole = self.folder / "whole"
            self.undisturbed[case] = (without_speed(read_run(whole)), self.result(job), seconds)
            whole.rename(self.folder / case)
        return self.undisturbed[case]

    @staticmethod
    def result(job):
        return re.findall("(?:test accuracy|inherited weights|best trial).*", job.said())

    def disturb(self, job, run, chance, seconds):
        """Kills one rank or all, at a moment of its run or while it writes a checkpoint. What was
        killed, if the moment came."""
        n_ranks = len(job.ranks)
        victims = range(n_ranks) if chance.random() < 0.5 else [chance.randrange(n_ranks)]
        end = time.monotonic() + 1.5 * seconds
        if chance.random() < 0.5:
            end = time.monotonic() + chance.random() * seconds
        else:
            n_writes, before = chance.randint(1, 4), None
            while n_writes > 0 and job.runs() and time.monotonic() < end:
                now = {path.name for path in run.glob("checkpoints/**/*.tmp")}
                n_writes -= bool(now) and now != before
                before = now
            end = 0
        while job.runs() and time.monotonic() < end:
            time.sleep(0.001)
        helpers = job.helpers()
        if helpers and chance.random() < 0.5:  # the run goes on by itself
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(helpers), signal.SIGKILL)
                self.n_helpers_killed += 1
            return []
        killed = [victim for victim in victims if job.ranks[victim].poll() is None]
        job.kill(killed)
        return killed

    def check_survivors(self, job, killed, codes):
        for rank, code in enumerate(codes):
            if rank in killed:
                continue
            # Either it had nothing more to do with the others, or it says who is missing.
            if code != 0:
                self.assertEqual(code, 1, job.said(rank))
                self.assertRegex(job.said(rank), r"retia: .*rank", f"of rank {rank}")

    def check_resumed(self, job, step):
        """No epoch is lost that a checkpoint holds."""
        if step > 0 and "nothing to do" not in job.said() and "resumed after trial" not in job.said():
            self.assertIn(f"resumed after step {step}\n", job.said())

    def compare(self, case, run, n_ranks, found, said):
        expected, result, _ = self.expected(case)
        # One killed between the last checkpoint and the removal of those before leaves one more.
        found = {name: content for name, content in found.items()
                 if name in expected or not re.search(r"step-\d+\.safetensors$", name)}
        self.assertEqual(sorted(found), sorted(expected))
        if n_ranks == {CASES[case][1]}:
            for name in expected:
                if found[name] != expected[name]:
                    self.fail(f"{run}: {name} differs from that of an undisturbed run: "
                              f"{str(found[name])[:800]} is not {str(expected[name])[:800]}")
            if said:
                self.assertEqual(said, result)
            return
        self.assertEqual(found["metrics.jsonl"][-1].keys(), expected["metrics.jsonl"][-1].keys())
        for line, other in zip(found["metrics.jsonl"], expected["metrics.jsonl"], strict=True):
            for key, value in other.items():
                self.assertAlmostEqual(line[key], value, delta=1e-9, msg=key)
        for name in [name for name in expected if name.endswith(".safetensors")]:
            for tensor, (dtype, shape, data) in expected[name].items():
                if dtype == "float64":
                    other = numpy.frombuffer(found[name][tensor][2])
                    numpy.testing.assert_allclose(other, numpy.frombuffer(data), 0, 1e-10, err_msg=tensor)
        for name in ("architecture.json", "finished.json"):
            self.assertEqual(found.get(name), expected.get(name))

    def one_run(self, number, case):
        """Disturbs one run until it is through. Returns how often something was killed."""
        chance = random.Random(1000 * SEED + number)
        own_ranks = CASES[case][1]
        seconds = self.expected(case)[2]
        run = self.folder / f"run-{number}"
        n_kills, n_ranks, step = 0, {own_ranks}, 0
        n_helpers = self.n_helpers_killed
        self.prepare(case, run.name)
        while True:
            others = own_ranks > 1 and n_kills > 0 and chance.random() < 0.3
            ranks = chance.choice([1, 3, 4]) if others else own_ranks
            n_ranks.add(ranks)
            job = Job(self.next_words(case, run.name), ranks, self.folder)
            killed = []
            if n_kills == 0 or (n_kills < 3 and chance.random() < 1 / 3):
                killed = self.disturb(job, run, chance, seconds)
            codes = job.wait()
            self.assertEqual(job.left_over(), [])
            found = read_run(run) if run.exists() else {}
            self.check_survivors(job, killed, codes)
            if not killed or codes[0] == 0:
                break
            n_kills += 1
            step = newest_step(run)
        self.assertEqual(codes[0], 0, job.said())
        self.check_resumed(job, step)
        self.compare(case, run.name, n_ranks, without_speed(found), self.result(job))
        self.assertFalse((self.folder / "marks/twice").exists(), "a trial was tried by two processes at once")
        return n_kills + self.n_helpers_killed - n_helpers

    def test_killed_runs_resume_to_the_same(self):
        names = [name for name in CASES if not CHOSEN or name in CHOSEN.split(",")]
        n_kills, number, began = 0, 0, time.monotonic()
        while n_kills < N_RUNS and number < 4 * N_RUNS:
            case = names[number % len(names)]
            with self.subTest(run=number, case=case):
                n_kills += min(1, self.one_run(number, case))
            number += 1
        self.assertEqual(n_kills, N_RUNS)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{n_kills} of {number} runs killed, {time.monotonic() - began:.0f} seconds, "
              f"{used.ru_utime + used.ru_stime:.0f} of them at work")


if __name__ == "__main__":
    unittest.main()
