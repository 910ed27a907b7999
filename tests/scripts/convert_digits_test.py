#!/usr/bin/env python3
"""Reads the converted digits back and compares them with what scikit-learn gives, and data/digits with
them."""

import gzip
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy
import sklearn.datasets

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "convert_digits.py"


def read_idx(path):
    data = gzip.decompress(path.read_bytes())
    zeros, kind, rank = struct.unpack(">HBB", data[:4])
    assert (zeros, kind) == (0, 8), "not an IDX file of bytes"
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return numpy.frombuffer(data[4 + 4 * rank :], dtype=numpy.uint8).reshape(shape)


class ConvertDigits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.convert()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def convert(cls):
        subprocess.run([sys.executable, SCRIPT, cls.folder], check=True)

    def read(self, part):
        return (read_idx(self.folder / f"{part}-images-idx3-ubyte.gz"),
                read_idx(self.folder / f"{part}-labels-idx1-ubyte.gz"))

    def test_keeps_every_image_with_its_label_exactly_once(self):
        (train, train_labels), (test, test_labels) = self.read("train"), self.read("t10k")
        written = sorted((label, image.tobytes()) for image, label in
                         zip(numpy.concatenate([train, test]),
                             numpy.concatenate([train_labels, test_labels])))
        digits = sklearn.datasets.load_digits()
        scaled = numpy.rint(digits.images * 255 / 16).astype(numpy.uint8)
        expected = sorted((label, image.tobytes()) for image, label in zip(scaled, digits.target))
        self.assertEqual(written, expected)
        self.assertEqual((train.min(), train.max()), (0, 255))

    def test_is_what_made_those_of_the_repository(self):
        stored = SCRIPT.parents[1] / "data" / "digits"
        for path in self.folder.iterdir():
            self.assertTrue((read_idx(path) == read_idx(stored / path.name)).all(), path.name)

    def test_tests_on_a_fifth_of_every_class(self):
        train, test = self.read("train")[1], self.read("t10k")[1]
        for label in range(10):
            members = (train == label).sum() + (test == label).sum()
            self.assertEqual((test == label).sum(), round(members / 5))

    def test_writes_the_same_bytes_each_time_and_nothing_else(self):
        first = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self.convert()
        self.assertEqual(first, {path.name: path.read_bytes() for path in self.folder.iterdir()})
        self.assertEqual(len(first), 4)


if __name__ == "__main__":
    unittest.main()
