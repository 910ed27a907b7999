#!/usr/bin/env python3
"""Writes the handwritten digits that scikit-learn's wheel carries as gzipped IDX files.

usage: convert_digits.py FOLDER

It has made data/digits, and needs scripts/setup --tests. The 1,797 images of 8x8 pixels (Alpaydin and
Kaynak, UCI repository) become train-images-idx3-ubyte.gz
and so on, the names of MNIST. A fifth of every class is the test set, always the same fifth. Pixel
values 0..16 are scaled to 0..255.
"""

import gzip
import os
import pathlib
import sys

import numpy
import sklearn.datasets

TEST_FRACTION = 0.2
SEED = 0


def split(labels):
    """Returns the indices of the training and of the test images, each class divided alike."""
    random = numpy.random.RandomState(SEED)
    test = numpy.zeros(len(labels), dtype=bool)
    for label in numpy.unique(labels):
        members = random.permutation(numpy.flatnonzero(labels == label))
        test[members[: round(TEST_FRACTION * len(members))]] = True
    return numpy.flatnonzero(~test), numpy.flatnonzero(test)


def write_idx(path, values):
    """Writes a uint8 array as a gzipped IDX file that is whole or absent, the same bytes each time."""
    header = bytes([0, 0, 0x08, values.ndim]) + numpy.array(values.shape, dtype=">u4").tobytes()
    temporary = path.with_suffix(".part")
    temporary.write_bytes(gzip.compress(header + values.tobytes(), mtime=0))
    os.replace(temporary, path)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    digits = sklearn.datasets.load_digits()
    images = numpy.rint(digits.images * (255 / 16)).astype(numpy.uint8)
    labels = digits.target.astype(numpy.uint8)
    for name, chosen in zip(("train", "t10k"), split(labels)):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images[chosen])
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels[chosen])


if __name__ == "__main__":
    main()
