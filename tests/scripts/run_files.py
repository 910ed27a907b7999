"""Reads all that a run leaves in its folder, with nothing of Retia's: JSON, safetensors, TensorBoard
events with their checksums, SQLite."""
import json
import pathlib
import re
import shutil
import sqlite3
import struct
import tempfile

import safetensors.numpy
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

# What depends on the machine, and on how many ranks share the work.
SPEED = re.compile("seconds|(within epochs/)?images_per_second|peak_memory|communication.*")


def read_events(path):
    """All events of a file; throws where one is damaged or cut off."""
    data, at, events = path.read_bytes(), 0, []
    while at < len(data):
        length, length_sum = struct.unpack("<QI", data[at:at + 12])
        message = data[at + 12:at + 12 + length]
        (message_sum,) = struct.unpack("<I", data[at + 12 + length:at + 16 + length])
        if (masked_crc32c(data[at:at + 8]), masked_crc32c(message)) != (length_sum, message_sum):
            raise ValueError(f"{path}: the record at byte {at} is damaged")
        events.append(Event.FromString(message))
        at += 16 + length
    return events


def read_lines(path):
    text = path.read_text()
    if text and not text.endswith("\n"):
        raise ValueError(f"{path}: its last line is cut off")
    return [json.loads(line) for line in text.splitlines()]


def read_trials(path):
    """What an experiment has learnt; from a copy, for whoever opens one after a crash mends it."""
    with tempfile.TemporaryDirectory() as folder:
        for file in path.parent.glob(path.name + "*"):
            shutil.copy(file, folder)
        connection = sqlite3.connect(pathlib.Path(folder) / path.name)
        problem = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if problem != "ok":
            raise ValueError(f"{path}: {problem}")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'trials'").fetchall()
        rows = connection.execute("SELECT id, status, choices, epochs, objectives, metrics, error "
                                  "FROM trials ORDER BY id").fetchall() if tables else []
        connection.close()
    return rows


def read_tensors(path):
    return {name: (str(tensor.dtype), tensor.shape, tensor.tobytes())
            for name, tensor in safetensors.numpy.load_file(path).items()}


READERS = {".json": lambda path: json.loads(path.read_text()), ".jsonl": read_lines,
           ".safetensors": read_tensors, ".retia": read_events, ".sqlite": read_trials}


def read_run(folder):
    """What each file holds, by its name. Throws where one cannot be read. Left out is what is being
    written, and what is no data."""
    return {str(path.relative_to(folder)): READERS[path.suffix](path)
            for path in sorted(folder.rglob("*")) if path.suffix in READERS}


def without_speed(run):
    """That of read_run without what depends on the machine, for comparison."""
    facts = {name: content for name, content in run.items() if name not in ("config.json", "run.json")}
    for name, content in facts.items():
        if name.endswith(".jsonl"):
            facts[name] = [{key: value for key, value in line.items() if not SPEED.fullmatch(key)}
                           for line in content]
        elif name.endswith(".retia"):
            facts[name] = [(event.step, value.tag, value.SerializeToString()) for event in content
                           for value in event.summary.value if not SPEED.fullmatch(value.tag)]
    return facts
