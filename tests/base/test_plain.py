"""Plain data back to dataclasses: by type, or one line that names the file and the field."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.base.files.plain import Count, Share, from_plain, read_json, read_plain


class Colour(str, Enum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    n: Count
    pair: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.n == 13:
            raise ValueError("n must not be\n13")
        if self.n == 14:
            raise ConfigError("n must not be 14")


@dataclass(frozen=True)
class Outer:
    name: str
    share: Share
    layers: tuple[Inner, ...] = ()
    table: Mapping[str, Inner] = field(default_factory=dict)
    colour: Colour = Colour.RED
    setting: int | list[int] | str = 0
    seconds: float | None = None


WHOLE = Outer("ä", 0.5, (Inner(1), Inner(2, (3, 4))), {"a": Inner(5)}, Colour.RED, [1, 2], 3.0)


def refused(read, *arguments):
    with pytest.raises(DataError) as caught:
        read(*arguments)
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and text.isprintable()
    return text


def plain(**changes: Any) -> dict[str, Any]:
    values = json.loads(json.dumps(dataclasses.asdict(WHOLE))) | changes
    return {key: value for key, value in values.items() if value != "gone"}


def test_a_dataclass_comes_back(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(dataclasses.asdict(WHOLE)))
    assert read_plain(tmp_path / "a.json", Outer) == WHOLE
    assert from_plain(Outer, dataclasses.asdict(WHOLE), "x") == WHOLE  # with tuples and the enumeration as they are
    assert from_plain(Outer, {"name": "b", "share": 1}, "x") == Outer("b", 1.0)
    assert from_plain(tuple[Inner, ...], [{"n": 1}], "x") == (Inner(1),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "field name: expected str, got int"),
        ({"name": None}, "field name: expected str, got null"),
        ({"name": "gone"}, "object missing required field name"),
        ({"names": 1}, "unknown field names"),
        ({"share": 1.5}, "field share: expected float <= 1.0, got 1.5"),
        ({"share": "0.5"}, "field share: expected float, got str"),
        ({"layers": [{"n": -1}]}, "field layers[0].n: expected int >= 0, got -1"),
        ({"layers": [{"n": 1}, {}]}, "field layers[1]: object missing required field n"),
        ({"layers": [{"n": 1, "m": 2}]}, "unknown field layers[0].m"),
        ({"layers": [{"n": True}]}, "field layers[0].n: expected int, got bool"),
        ({"layers": [{"n": 1.5}]}, "field layers[0].n: expected int, got float"),
        ({"layers": [{"n": 1, "pair": [1]}]}, "field layers[0].pair: expected array of length 2, got 1"),
        ({"layers": [{"n": 13}]}, "field layers[0]: n must not be 13"),
        ({"layers": [{"n": 14}]}, "n must not be 14"),
        ({"layers": [{"n": 10**30}]}, "field layers[0].n is a number of more than 64 bits"),
        ({"layers": {}}, "field layers: expected array, got object"),
        ({"table": {"a\x1b": {"n": 1, "b\n": 2}}}, r"unknown field table.a\x1b.b\n"),
        ({"table": {"a": 1}}, "field table[...]: expected object, got int"),
        ({"colour": "blue"}, "field colour: invalid enum value 'blue'"),
        ({"setting": [1, "a"]}, "field setting[1]: expected int, got str"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_field(tmp_path, change, message):
    assert refused(from_plain, Outer, plain(**change), "here") == f"here: {message}"
    (tmp_path / "a.json").write_text(json.dumps(plain(**change)))
    assert refused(read_plain, tmp_path / "a.json", Outer) == f"{tmp_path / 'a.json'}: {message}"


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b"{",
            b"\xff\xfe",
            b"{'a': 1}",
            b"[NaN]",
            b"[1e999]",
            b"[Infinity]",
            b"1 2",
            b'["\\ud800"]',
            b'["\xff"]',
        ),
        *(b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000, b'["\xed\xa0\x80"]'),
    ],
)
def test_what_is_not_json_is_one_line_that_names_the_file(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert str(tmp_path / "a.json") in refused(read_json, tmp_path / "a.json")
    refused(read_plain, tmp_path / "a.json", Outer)


def test_numbers_of_thousands_of_digits(tmp_path):
    for digits in (30, 1000, 100_000):
        (tmp_path / "a.json").write_text(json.dumps(plain())[:-1] + ', "seconds": ' + "9" * digits + "}")
        refused(read_plain, tmp_path / "a.json", Outer)


def test_sizes_are_looked_at_and_pipes_are_not_read(tmp_path):
    (tmp_path / "a.json").write_text('["' + "a" * 100 + '"]')
    assert "104 bytes, at most 50" in refused(read_json, tmp_path / "a.json", 50)
    os.mkfifo(tmp_path / "pipe.json")
    assert "not a regular file" in refused(read_json, tmp_path / "pipe.json")
    assert "no such file" in refused(read_json, tmp_path / "none.json")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([item.name for item in dataclasses.fields(Outer)]), ANYTHING)
def test_anything_in_a_field_is_taken_or_one_line(name, value):
    try:
        built = from_plain(Outer, plain(**{name: value}), "x")
    except DataError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert from_plain(Outer, json.loads(json.dumps(dataclasses.asdict(built))), "x") == built
