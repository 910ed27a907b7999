"""Installs what was built, and builds examples/cmake_project against it and with the source folder."""
import os
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["RETIA_PROGRAMS"]).parent  # the build folder
# The same in every run, so that the compiler cache knows the paths.
SCRATCH = BUILD / "install_test"
SEARCH = ["search", "--space", "rows", "--algorithm", "darts", "--data", "synthetic", "--threads", "1",
          "--set", "trainer.epochs=1", "--set", "data.limit=128", "--out", "run"]


def run(*words, cwd=ROOT):
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def cached(name):
    lines = (BUILD / "CMakeCache.txt").read_text().splitlines()
    return next((line.split("=", 1)[1] for line in lines if line.startswith(f"{name}:")), "")


class Install(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(SCRATCH, ignore_errors=True)

    def build(self, name, *settings):
        """Builds the project in a folder of this name, and lets its program search."""
        folder = SCRATCH / name
        run("cmake", "-S", ROOT / "examples/cmake_project", "-B", folder, "-G", "Ninja",
            f"-DCMAKE_BUILD_TYPE={cached('CMAKE_BUILD_TYPE')}", *settings)
        run("cmake", "--build", folder, "--target", "my_search", "--parallel", os.cpu_count())
        run(folder / "my_search", *SEARCH, cwd=folder)
        self.assertTrue((folder / "run/architecture.json").exists())

    def test_a_project_finds_the_installed_package(self):
        prefix = SCRATCH / "prefix"
        run("cmake", "--install", BUILD, "--prefix", prefix)
        run(prefix / "bin/retia", "--help")
        self.assertTrue((prefix / "share/doc/retia/LICENSE").exists())
        headers = list((prefix / "include").rglob("*.h"))
        self.assertTrue(all(header.is_relative_to(prefix / "include/retia") for header in headers))
        torch = run(cached("RETIA_PYTHON"), "-c",
                    "import torch; print(torch.utils.cmake_prefix_path)").strip()
        self.build("found", f"-DCMAKE_PREFIX_PATH={prefix};{torch}")
        shutil.rmtree(prefix)

    def test_a_project_adds_the_source_folder(self):
        self.build("added", f"-DRETIA_SOURCE={ROOT}", "-DCMAKE_UNITY_BUILD=ON")
        # Nothing of the project is left where its own targets are, and no test of ours is built.
        self.assertFalse((SCRATCH / "added/bin").exists())
        self.assertFalse((SCRATCH / "added/retia/tests").exists())


if __name__ == "__main__":
    unittest.main()
