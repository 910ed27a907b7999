#!/usr/bin/env python3
"""Hands fetch_data archives of its own making, so that nothing is downloaded."""

import importlib.machinery
import importlib.util
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "fetch_data"
sys.dont_write_bytecode = True


def load_script():
    loader = importlib.machinery.SourceFileLoader("fetch_data", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch_data", loader))
    loader.exec_module(module)
    return module


class FetchData(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.archive = self.folder / "cifar-10-binary.tar.gz"

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)

    def test_refuses_an_archive_of_another_checksum_and_unpacks_nothing(self):
        self.archive.write_bytes(b"not the archive")
        done = self.run_script("cifar10", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected c32a1d4ab5d03f1284b67883e8d87530", done.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir()], [self.archive.name])

    def test_unpacks_the_files_that_the_reader_wants_into_the_folder_itself(self):
        fetch_data = load_script()
        with tarfile.open(self.archive, "w:gz") as tar:
            for name in fetch_data.FILES + ["readme.html", "../escaped"]:
                entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                entry.size = len(name)
                tar.addfile(entry, io.BytesIO(name.encode()))
        fetch_data.unpack(self.archive, self.folder)
        self.archive.unlink()
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted(fetch_data.FILES))
        self.assertEqual((self.folder / "test_batch.bin").read_text(), "test_batch.bin")

    def test_explains_itself_for_an_unknown_data_set(self):
        done = self.run_script("imagenet")
        self.assertEqual(done.returncode, 1)
        self.assertIn("usage: fetch_data cifar10", done.stderr)


if __name__ == "__main__":
    unittest.main()
