"""The ground that a run stands on: a folder that is removed or moved while the run works ends it with a
line and loses nothing that was in memory; a file system without locks is refused with a remedy."""
import ctypes
import errno
import os
import pathlib
import platform
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from run_files import read_run, without_speed

PROGRAM = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ["--data", "digits", "--data-dir", str(ROOT / "data/digits"), "--set", "data.limit=48",
        "--batch-size", "12", "--threads", "1"]
SHORT = ["search", "--space", "tiny", "--algorithm", "darts", *DATA]
SEARCH = [*SHORT, "--epochs", "100"]
EXPLORE = ["explore", "--space", "tiny", "--strategy", "random", "--evaluator", "command", "--max-trials", "4",
           "--set", "evaluator.command=sleep 0.2; echo $RETIA_TRIAL", *DATA]
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2


def refuse_locks():
    """Has all locks of files refused in this process and its children, as by a file system without any:
    flock, and fcntl with F_GETLK, F_SETLK or F_SETLKW (5 to 7)."""
    flock, fcntl = {"x86_64": (73, 72), "aarch64": (32, 25)}[platform.machine()]
    load, equal, greater_equal, greater, give = 0x20, 0x15, 0x35, 0x25, 0x06
    rules = [(load, 0, 0, 0), (equal, 4, 0, flock), (equal, 0, 4, fcntl), (load, 0, 0, 24),
             (greater_equal, 0, 2, 5), (greater, 1, 0, 7), (give, 0, 0, 0x50000 | errno.ENOLCK),
             (give, 0, 0, 0x7fff0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code))
    assert LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert LIBC.prctl(PR_SET_SECCOMP, FILTER, program) == 0, os.strerror(ctypes.get_errno())


class Ground(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, words, out, **options):
        process = subprocess.Popen([PROGRAM, *words, "--out", out], cwd=self.folder, text=True,
                                   env=dict(os.environ, OMP_NUM_THREADS="1"), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, **options)
        self.addCleanup(process.kill)
        return process

    def end_of(self, process, code):
        said = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, code, said)
        return said

    def finish(self, words, out):
        return self.end_of(self.start([*words, "--resume"], out), 0)

    def at_work(self, words, out, has_begun, change):
        """Starts a command, changes its folder as soon as it has begun, and returns what it says."""
        process = self.start(words, out)
        end = time.monotonic() + 60
        while not has_begun(self.folder / out):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)
        process.send_signal(signal.SIGSTOP)
        change(self.folder / out)
        process.send_signal(signal.SIGCONT)
        return self.end_of(process, 1)

    @staticmethod
    def has_saved(run):
        return len(list(run.glob("checkpoints/step-*.safetensors"))) == 2

    @staticmethod
    def has_tried(run):
        return (run / "architecture.json").exists()

    def expect_equal(self, out, expected, names):
        found = without_speed(read_run(self.folder / out))
        for name in names:
            self.assertEqual(found[name], expected[name], name)

    def test_a_search_whose_folder_is_removed_keeps_what_it_holds(self):
        self.finish(SEARCH, "whole")
        whole = without_speed(read_run(self.folder / "whole"))
        said = self.at_work(SEARCH, "removed", self.has_saved, shutil.rmtree)
        self.assertRegex(said, r"\nretia: removed was removed while the run was working: what it held in memory is "
                               r"there again: give the command again, with --resume\n$")
        said = self.finish(SEARCH, "removed")
        self.assertIn("resumed after step", said)
        last = max(name for name in whole if "checkpoints/step" in name)
        self.expect_equal("removed", whole, ["metrics.jsonl", "events.out.tfevents.retia", "architecture.json",
                                             "finished.json", "space.json", last])

    def test_a_run_that_is_moved_says_where_it_goes_on(self):
        self.finish(SEARCH, "whole")
        whole = without_speed(read_run(self.folder / "whole"))
        said = self.at_work(SEARCH, "here", self.has_saved, lambda run: run.rename(self.folder / "there"))
        there = (self.folder / "there").resolve()
        self.assertIn(f"\nretia: here was moved to {there} while the run was working: continue it there, with "
                      f"--out {there} --resume\n", said)
        self.finish(SEARCH, "there")
        self.expect_equal("there", whole, ["metrics.jsonl", "architecture.json"])

    def test_an_exploration_whose_folder_is_removed_keeps_its_trials(self):
        self.finish(EXPLORE, "whole")
        whole = without_speed(read_run(self.folder / "whole"))
        for runner in ("inline", "local"):
            with self.subTest(runner):
                words = [*EXPLORE, "--runner", runner]
                said = self.at_work(words, runner, self.has_tried, shutil.rmtree)
                self.assertRegex(said, rf"\nretia: {runner} was removed while the exploration was working: its "
                                       r"trials are there again: give the command again, with --resume\n$")
                self.assertRegex(self.finish(words, runner), r"resumed: [1-4] trials ended")
                self.expect_equal(runner, whole, ["experiment.sqlite", "architecture.json"])

    def test_a_file_system_without_locks_is_refused_with_a_remedy(self):
        for name, words in (("search", [*SHORT, "--epochs", "2"]), ("explore", EXPLORE)):
            with self.subTest(name):
                said = self.end_of(self.start(words, name, preexec_fn=refuse_locks), 1)
                self.assertRegex(said, rf"^retia: {name}/lock: its file system has no locks \(No locks available\): "
                                       r".*docs/clusters.md.*--set run.require_lock=false\n$")
                self.assertNotIn("another process", said)
                without = [*words, "--set", "run.require_lock=false"]
                self.end_of(self.start(without, f"{name} without", preexec_fn=refuse_locks), 0)
        trials = read_run(self.folder / "explore without")["experiment.sqlite"]
        self.assertEqual([row[4] for row in trials], [f"[{n}.0]" for n in range(4)])
        top = subprocess.run([PROGRAM, "top", "explore without"], cwd=self.folder, capture_output=True, text=True,
                             preexec_fn=refuse_locks)
        self.assertEqual(top.returncode, 0, top.stderr)
        self.assertTrue(re.search(r"^3 .*\b3\b", top.stdout, re.M), top.stdout)


if __name__ == "__main__":
    unittest.main()
