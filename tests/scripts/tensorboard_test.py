"""TensorBoard's own reader opens what a search, stopped and resumed, has written."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest
import zlib

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

RETIA = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
SEARCH = [RETIA, "search", "--space", "tiny", "--algorithm", "darts", "--data", "synthetic", "--set",
          "data.synthetic.n_train=1024", "--set", "data.synthetic.n_test=32", "--batch-size", "4",
          "--threads", "1", "--quiet"]


def read(run):
    events = EventAccumulator(str(run), size_guidance={"images": 0, "histograms": 0, "scalars": 0})
    events.Reload()
    return events


def pixels_of(png):
    """Rows of RGB bytes of a PNG without filters or with whatever filters its writer chose."""
    header = struct.unpack(">IIBBBBB", png[16:29])
    width, height = header[:2]
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at:at + 4])
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(data)
    assert len(raw) == height * (1 + 3 * width)
    return width, height


class TensorBoard(unittest.TestCase):
    def test_it_reads_what_a_search_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            done = subprocess.run(SEARCH + ["--epochs", "3", "--out", run], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            events = read(run)
            lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
            for tag, name in (("loss/train", "loss"), ("lr", "lr"), ("images_per_second",) * 2,
                              ("peak_memory",) * 2):
                found = [scalar.value for scalar in events.Scalars(tag)]
                for value, line in zip(found, lines, strict=True):
                    self.assertAlmostEqual(value, line[name], delta=1e-6 * abs(line[name]))
            self.assertEqual([s.step for s in events.Scalars("within epochs/loss")], [100, 200, 300])
            label, n_candidates = "probabilities/body", 3
            histograms = events.Histograms(label)
            self.assertEqual(len(histograms), 3)
            self.assertEqual(histograms[-1].histogram_value.num, n_candidates)
            self.assertAlmostEqual(histograms[-1].histogram_value.sum, 1, places=5)
            image = events.Images("probabilities")[-1]
            self.assertEqual(pixels_of(image.encoded_image_string), (image.width, image.height))
            self.assertEqual(image.width, 12 * n_candidates)

    def test_a_resumed_run_shows_each_step_once(self):
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            command = SEARCH + ["--epochs", "4", "--out", run, "--resume"]
            stopped = subprocess.run(command + ["--time-limit", "0.3"], capture_output=True, text=True)
            self.assertEqual(stopped.returncode, 130, stopped.stderr)
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            steps = [scalar.step for scalar in read(run).Scalars("loss/train")]
            self.assertEqual(steps, sorted(set(steps)))
            self.assertEqual(len(steps), 4)


if __name__ == "__main__":
    unittest.main()
