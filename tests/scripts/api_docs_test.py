#!/usr/bin/env python3
"""Reads the public headers with Doxygen, which must find a comment at whatever users can name."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import api_docs  # noqa: E402

SCRIPT = pathlib.Path(api_docs.__file__)


class Filter(unittest.TestCase):
    HEADER = "\n".join([
        "struct CountOptions {",
        "  int64_t depth = 3;",
        "  double rate;  ///< its own words",
        "};",
        "inline std::vector<Option> declared(CountOptions& o) {",
        '  return {option("depth", o.depth, Range{1, 100}, "layers "',
        '                 "to count"),',
        '          option("rate", o.rate, "not these")};',
        "}"])

    def test_puts_the_meaning_of_an_option_behind_its_field(self):
        self.assertIn("  int64_t depth = 3;  ///< layers to count\n", api_docs.with_meanings(self.HEADER))

    def test_leaves_a_field_that_has_words_of_its_own(self):
        self.assertIn("  double rate;  ///< its own words\n", api_docs.with_meanings(self.HEADER))


@unittest.skipUnless(shutil.which("doxygen"), "doxygen is not installed")
class PublicHeaders(unittest.TestCase):
    def test_document_everything(self):
        done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_become_pages(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertTrue(pathlib.Path(folder, "html/index.html").is_file())


class Usage(unittest.TestCase):
    def test_is_told_in_one_line(self):
        done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
