"""Configuration files that the tests of configurations share, and how they are read."""

import pytest

from xnorflow.base.errors import ConfigError
from xnorflow.flow.config_file import load_config

GOOD = {"network": "net.py", "part": "xc7z010clg400-1"}
FULL = """
network: net.py
data: digits
part: XC7Z010CLG400-1
clock_mhz: 125.5
backend: Vitis
io_type: io_stream
kernel: hls4ml
strategy: {dense1: Latency, scores: Resource}
reuse_factor: {dense1: 64, scores: 16}
input_bits: 8
pixel_threshold: 100
precision: {dense1: {accum: ap_int<11>}, scores: {result: ap_uint<7>}}
train:
  {seed: 3, seeds: 2, epochs: 7, batch_size: 32, learning_rate: 0.02, shift: 2,
   rotate: 5, scale: 0.1, elastic: 0.5}
"""


def load(tmp_path, text):
    path = tmp_path / "a b ö.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config(path)


def refused(tmp_path, text):
    """The message for ``text``, which must be one line that names the file."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(tmp_path / "a b ö.yaml"))
    return message


def with_line(line):
    """A good file with ``line`` in the place of its own key's."""
    key = line.partition(":")[0]
    return "\n".join([f"{name}: {value}" for name, value in GOOD.items() if name != key] + [line])
