"""Runs `scripts/check --quick` in small repositories."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(files, *options):
    """Runs the script in a repository of these files (path -> text); returns the finished process."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ("scripts/check", "scripts/check_layers.py", ".clang-format"):
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        subprocess.run(["git", "init", "-q", folder], check=True)
        subprocess.run(["git", "-C", folder, "add", "-A"], check=True)
        return subprocess.run([root / "scripts/check", *options], capture_output=True, text=True)


class Check(unittest.TestCase):
    def test_passes_formatted_files_that_include_downwards(self):
        done = check({"engine/a.h": "#pragma once\n", "apps/b.cpp": '#include "retia/engine/a.h"\n'},
                     "--quick")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_fails_on_another_format(self):
        done = check({"engine/a.h": "int  a ;\n"}, "--quick")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("engine/a.h:1", done.stderr)

    def test_leaves_comments_as_they_are(self):
        comment = "/// y = sum_k\n///   w_k\n"
        done = check({"engine/a.h": comment + "int a();\n"}, "--quick")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_fails_on_an_include_that_points_upwards(self):
        done = check({"engine/a.cpp": '#include "retia/apps/b.h"\n'}, "--quick")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("engine may include", done.stdout)

    def test_says_how_to_call_it_to_unknown_options(self):
        done = check({}, "--fast")
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: scripts/check [--quick]", done.stderr)


if __name__ == "__main__":
    unittest.main()
