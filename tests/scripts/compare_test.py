#!/usr/bin/env python3
"""Holds result files against each other with bench/compare.py, and times nothing with search_step.py."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from search_step import scaling  # noqa: E402


def kernels(**milliseconds):
    return {"format": "retia.bench.kernels", "version": 1,
            "kernels": [{"name": name, "ms": ms} for name, ms in milliseconds.items()]}


def steps(**seconds):
    return {"format": "retia.bench.search_step", "version": 3,
            "cases": [{"name": name.strip("2"), "flags": {"threads": 2 if name.endswith("2") else 1},
                       "retia": {"seconds": s}} for name, s in seconds.items()]}


class Compare(unittest.TestCase):
    def compare(self, before, after, *words):
        """Exit code, printed lines, and what was said on stderr."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder, name) for name in ("before.json", "after.json")]
            for path, document in zip(paths, (before, after)):
                path.write_text(json.dumps(document))
            done = subprocess.run([sys.executable, ROOT / "bench/compare.py", *paths, *words],
                                  capture_output=True, text=True)
            return done.returncode, done.stdout.splitlines(), done.stderr

    def test_names_what_is_slower_by_more_than_the_threshold(self):
        code, lines, said = self.compare(kernels(a=10, b=10, c=10), kernels(a=10.9, b=11.2, c=5))
        self.assertEqual((code, said), (1, "1 slower by more than 10%\n"))
        self.assertEqual([line.split() for line in lines[1:]],
                         [["a", "10.00", "10.90", "1.09"], ["b", "10.00", "11.20", "1.12", "slower"],
                          ["c", "10.00", "5.00", "0.50"]])

    def test_the_threshold_is_a_part_of_the_time_before(self):
        for threshold, expected in (("0.25", 0), ("0.15", 1)):
            code, _, said = self.compare(steps(small=1.0), steps(small=1.2), "--threshold", threshold)
            self.assertEqual(code, expected, said)

    def test_tells_numbers_of_threads_apart(self):
        code, lines, said = self.compare(steps(small=1.0, small2=0.6), steps(small=1.0, small2=0.9))
        self.assertEqual(code, 1, said)
        self.assertEqual([line.split("  ")[0] for line in lines[1:]], ["small", "small, 2 threads"])

    def test_a_case_of_one_file_only_is_named_and_not_judged(self):
        code, lines, said = self.compare(kernels(a=1, gone=1), kernels(a=1, new=9))
        self.assertEqual((code, said), (0, ""))
        self.assertEqual([line.split() for line in lines[2:]], [["gone", "only", "before"],
                                                                ["new", "only", "after"]])

    def test_refuses_files_that_cannot_be_compared(self):
        code, _, said = self.compare(kernels(a=1), kernels(b=1))
        self.assertEqual((code, said), (1, "the files have no case in common\n"))
        for other in ({"format": "retia.bench.startup"}, {**steps(a=1), "version": 1}):
            code, _, said = self.compare(kernels(a=1), other)
            self.assertEqual(code, 1)
            self.assertIn("after.json: expected what `retia bench kernels`", said)
            self.assertEqual(said.count("\n"), 1)

    def test_reads_the_results_that_are_kept(self):
        for name in ("kernels_cpu.json", "search_step_cpu.json"):
            document = json.loads((ROOT / "bench/results" / name).read_text())
            code, lines, said = self.compare(document, document)
            self.assertEqual((code, said), (0, ""), name)
            self.assertGreater(len(lines), 5)


class SearchStep(unittest.TestCase):
    def test_projects_by_what_does_not_become_shorter(self):
        # A step of 1 s, of which 0.2 s are serial, takes 0.6 s on two threads and 0.3 s on eight.
        found = scaling(1.0, 0.6, 2)
        self.assertAlmostEqual(found["serial"], 0.2)
        self.assertAlmostEqual(found["ratio"], 1 / 0.6)
        self.assertAlmostEqual(found["projected"]["8"], 1 / 0.3)

    def test_refuses_what_it_cannot_time(self):
        for words, part in ((["--only", "nothing"], "no case is called like 'nothing'"),
                            (["--precision", "fp8"], "invalid choice: 'fp8'"),
                            (["--threads", "1,many"], "invalid"),
                            (["--device", "tpu"], "invalid choice: 'tpu'")):
            done = subprocess.run([sys.executable, ROOT / "bench/search_step.py", *words],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(part, done.stderr)


if __name__ == "__main__":
    unittest.main()
