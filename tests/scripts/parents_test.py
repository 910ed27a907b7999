"""What a parent leaves to the program (signals that are ignored, streams that are closed or full,
variables) changes no number, and no result that was not written counts as written."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from run_files import read_run, without_speed

PROGRAM = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ["--data", "digits", "--data-dir", str(ROOT / "data/digits"), "--set", "data.limit=48",
        "--batch-size", "12", "--threads", "1"]
SEARCH = ["search", "--space", "tiny", "--algorithm", "darts", *DATA]


def explore(command, *more):
    return ["explore", "--space", "tiny", "--strategy", "grid", "--evaluator", "command",
            "--max-trials", "2", "--set", f"evaluator.command={command}", *DATA, *more]


def closed(*streams):
    """Closes streams in the child; what Popen itself redirects is not affected."""
    return lambda: [os.close(stream) for stream in streams]


class Parents(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_program(self, words, out="run", **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        environment = dict(os.environ, OMP_NUM_THREADS="1") | options.pop("variables", {})
        return subprocess.run([PROGRAM, *words, *(["--out", out] if out else [])], cwd=self.folder,
                              env=environment, text=True, timeout=120, restore_signals=False, **options)

    def trials(self, out="run"):
        return read_run(self.folder / out)["experiment.sqlite"]

    def test_codes_of_commands_count_where_deaths_of_children_are_ignored(self):
        for runner in ("inline", "local"):
            with self.subTest(runner):
                done = self.run_program(explore("echo 0.5; exit 3", "--runner", runner), runner,
                                        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual([row[6] for row in self.trials(runner)],
                                 ["the command ended with code 3"] * 2)

    def test_variables_of_the_parent_do_not_win(self):
        for runner in ("inline", "local"):
            with self.subTest(runner):
                command = "echo $((100 * RETIA_TRIAL + 10 * RETIA_EPOCHS + RETIA_CONTINUES))"
                self.run_program(explore(command, "--runner", runner), runner, variables={
                    "RETIA_TRIAL": "7", "RETIA_EPOCHS": "7", "RETIA_CONTINUES": "7"})
                self.assertEqual([row[4] for row in self.trials(runner)], ["[-1.0]", "[99.0]"])

    def test_closed_streams_leave_the_same_files(self):
        self.assertEqual(self.run_program([*SEARCH, "--epochs", "2"], "whole").returncode, 0)
        whole = without_speed(read_run(self.folder / "whole"))
        for streams in ((0,), (1,), (2,), (0, 1, 2)):
            with self.subTest(closed=streams):
                out = "-".join(map(str, streams))
                done = self.run_program([*SEARCH, "--epochs", "2"], out, preexec_fn=closed(*streams))
                self.assertEqual(done.returncode, 0)
                self.assertEqual(without_speed(read_run(self.folder / out)), whole)
                lock = (self.folder / out / "lock").read_text()
                self.assertRegex(lock, r"^\d+$")

    def begun(self, out, **options):
        """A long search that has trained an epoch."""
        process = subprocess.Popen([PROGRAM, *SEARCH, "--epochs", "100000", "--out", out], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   env=dict(os.environ, OMP_NUM_THREADS="1"), **options)
        self.addCleanup(process.kill)
        end = time.monotonic() + 60
        while not list((self.folder / out).glob("checkpoints/step-*.safetensors")):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        return process

    def test_a_terminal_that_is_closed_saves_and_nohup_goes_on(self):
        process = self.begun("closed")
        process.send_signal(signal.SIGHUP)
        said = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 130, said)
        step = re.search(r"stopped after step (\d+)", said)[1]
        self.assertTrue((self.folder / f"closed/checkpoints/step-{int(step):06}.safetensors").exists())

        process = self.begun("nohup", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)

    def test_a_result_that_is_not_written_is_not_done(self):
        self.assertEqual(self.run_program([*SEARCH, "--epochs", "1"], "search").returncode, 0)
        self.assertEqual(self.run_program(explore("echo 1"), "explored").returncode, 0)
        architecture = "search/architecture.json"
        model = ["--space", "tiny", *DATA, "--architecture", architecture]
        commands = [["--help"], ["--version"], ["help", "search"], ["completion", "bash"], ["show", "explored"],
                    ["top", "explored"], ["space", "--space", "tiny", "--data", "digits"],
                    ["evaluate", *model, "--checkpoint", "search"], [*SEARCH, "--epochs", "1", "--out", "full"],
                    ["retrain", *model, "--epochs", "1", "--out", "retrained"],
                    [*explore("echo 1"), "--out", "explored again"]]
        for words in commands:
            with self.subTest(words[0]), open("/dev/full", "w") as full:
                done = self.run_program(words, out=None, stdout=full)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr.splitlines()[-1], "^retia: standard output: cannot be written: "
                                                               "No space left on device: make room")

    def test_a_reader_that_is_gone_does_not_keep_a_training_from_its_end(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run_program([*SEARCH, "--epochs", "1"], stdout=writer, stderr=writer)
        os.close(writer)
        self.assertEqual(done.returncode, 141)
        run = read_run(self.folder / "run")
        self.assertIn("finished.json", run)
        self.assertIn("architecture.json", run)


if __name__ == "__main__":
    unittest.main()
