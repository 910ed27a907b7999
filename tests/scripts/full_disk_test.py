"""A full disk, a limit on file sizes, and a folder that cannot be written end a run with one line that
names the file; what it has saved stays readable, and it goes on once there is room.

Disks are small file systems in memory, mounted where only this process sees them.
"""
import json
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import unittest

from run_files import read_run, without_speed

PROGRAM = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMON = ["--data", "digits", "--data-dir", str(ROOT / "data/digits"), "--batch-size", "12", "--threads", "1",
          "--set", "data.limit=48", "--resume"]
COMMANDS = {
    "search on two ranks": ["search", "--space", "tiny", "--algorithm", "darts", "--epochs", "3",
                            "--set", "run.timeout=20"],
    "search": ["search", "--space", "spos_chain", "--algorithm", "spos", "--epochs", "3",
               "--set", "space.channels=4", "--set", "space.layers=3",
               "--set", "algorithm.evolution.population=4", "--set", "algorithm.evolution.rounds=2",
               "--set", "algorithm.recalibration_batches=2"],
    "retrain": ["retrain", "--space", "tiny", "--set", "space.channels=32", "--architecture", "chosen.json",
                "--epochs", "3"],
    "explore": ["explore", "--space", "tiny", "--strategy", "grid", "--epochs", "1"],
    "explore in processes": ["explore", "--space", "tiny", "--strategy", "grid", "--epochs", "1",
                             "--runner", "local", "--concurrency", "1"],
}


def why_no_mounts():
    """Empty where this process may mount file systems, after it has got a view of its own of them."""
    if os.environ.get("RETIA_MOUNTS") == "own":
        return ""
    words = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run([*words, "mount", "-t", "tmpfs", "none", folder],
                               capture_output=True, text=True)
    if tried.returncode != 0:
        return f"no file system can be mounted here: {tried.stderr.strip()}"
    os.environ["RETIA_MOUNTS"] = "own"
    os.execvp("unshare", [*words, sys.executable, *sys.argv])


WHY_NO_MOUNTS = why_no_mounts()


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


class Disks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.folder / "chosen.json").write_text(json.dumps({"body": "conv3x3", "skip": "body"}))
        cls.whole = {}
        for name in COMMANDS:
            done = cls.run_program(name, f"whole {name}")
            assert done.returncode == 0, done.stderr
            cls.whole[name] = without_speed(read_run(cls.folder / f"whole {name}"))

    @classmethod
    def run_program(cls, name, out, *more, **options):
        """Of two ranks the first is returned; the other is expected to end as it does."""
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        words = [PROGRAM, *COMMANDS[name], *more, *COMMON, "--out", out]
        if not name.endswith("on two ranks"):
            return subprocess.run(words, cwd=cls.folder, env=environment, capture_output=True, text=True,
                                  timeout=300, **options)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            environment |= dict(WORLD_SIZE="2", MASTER_ADDR="127.0.0.1",
                                MASTER_PORT=str(taken.getsockname()[1]))
        ranks = [subprocess.Popen(words, cwd=cls.folder, env=environment | dict(RANK=rank, LOCAL_RANK=rank),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
                 for rank in "01"]
        done = []
        for rank in ranks:
            out, err = rank.communicate(timeout=300)
            done.append(subprocess.CompletedProcess(words, rank.returncode, out, err))
        assert done[1].returncode == done[0].returncode, done
        if done[0].returncode == 1:
            assert re.fullmatch("retia: .*rank 0 of 2 ended with an error.*\n", done[1].stderr), done[1].stderr
        return done[0]

    def expect_line(self, done, pattern):
        """Exit code 1, and of errors one line."""
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("retia: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], pattern)
        self.assertEqual(done.stderr.splitlines()[-1], lines[0])

    def expect_whole(self, name, out):
        """Goes on to the end, and to the same."""
        done = self.run_program(name, out)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = without_speed(read_run(self.folder / out))
        self.assertEqual(sorted(found), sorted(self.whole[name]))
        for file, content in self.whole[name].items():
            self.assertTrue(found[file] == content, f"{file} differs")

    def disk(self, name, *options):
        path = self.folder / name
        path.mkdir()
        mount("-t", "tmpfs", "-o", ",".join(("mode=0755", *options)), "none", path)
        self.addCleanup(subprocess.run, ["umount", "--lazy", path], check=True)
        return path

    @unittest.skipIf(WHY_NO_MOUNTS, WHY_NO_MOUNTS)
    def test_a_full_disk_is_a_line_and_room_lets_it_go_on(self):
        n_full = 0
        for name in COMMANDS:
            n_bytes = sum(file.stat().st_size for file in (self.folder / f"whole {name}").rglob("*"))
            disk = self.disk(f"disk {name}", "size=16m")
            for part in (0, 0.1, 0.4, 0.7, 0.95):
                with self.subTest(name, part=part):
                    out = disk / f"run-{part}"
                    out.mkdir()
                    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
                    filler = disk / "filler"
                    # The last page is one that a file of nothing would need.
                    filler.write_bytes(b"x" * max(0, room - int(part * n_bytes) // 4096 * 4096))
                    done = self.run_program(name, out)
                    if done.returncode == 0:
                        filler.unlink()
                        continue
                    n_full += 1
                    self.expect_line(done, rf"{re.escape(str(out))}(/\S+)?: cannot be \w+: "
                                     "No space left on device: make room .*--resume$")
                    read_run(out)
                    filler.unlink()
                    self.expect_whole(name, out)
        self.assertGreater(n_full, 8)

    @unittest.skipIf(WHY_NO_MOUNTS, WHY_NO_MOUNTS)
    def test_a_read_only_folder_is_a_line_and_a_run_in_it_goes_on_later(self):
        for name in COMMANDS:
            with self.subTest(name):
                disk = self.disk(f"locked {name}")
                part = ["--max-trials", "2"] if "explore" in name else ["--time-limit", "0.001"]
                stopped = self.run_program(name, disk / "run", *part)
                self.assertIn(stopped.returncode, (0, 130), stopped.stderr)
                mount("-o", "remount,ro", disk)
                for out in ("run", "new/run"):
                    self.expect_line(self.run_program(name, disk / out), rf"{re.escape(str(disk))}/"
                                     r"\S+: cannot be \w+: Read-only file system: give a folder")
                read_run(disk / "run")
                mount("-o", "remount,rw", disk)
                self.expect_whole(name, disk / "run")

    def test_a_limit_on_file_sizes_is_a_line(self):
        for name, n_bytes in (("search", 60000), ("retrain", 20000)):
            with self.subTest(name):
                out = self.folder / f"limited {name}"
                done = self.run_program(name, out, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (n_bytes, n_bytes)))
                self.expect_line(done, rf"{re.escape(str(out))}/checkpoints/step-\d+\.safetensors: cannot be "
                                 r"written: File too large: raise the limit .*--resume$")
                read_run(out)
                self.expect_whole(name, out)


if __name__ == "__main__":
    unittest.main()
