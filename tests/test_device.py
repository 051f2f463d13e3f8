import dataclasses

import pytest

from xnorflow import device
from xnorflow.device import Resources, device_of, devices
from xnorflow.errors import ConfigError


def test_home_board():
    zybo = device_of("xc7z010clg400-1")
    assert zybo.name == "xc7z010"
    assert zybo.resources == Resources(lut=17_600, ff=35_200, bram18=120, dsp=80)
    assert "Zybo Z7-10" in zybo.boards
    assert zybo.source.startswith("AMD DS190")


def test_every_device_is_whole():
    assert len(devices()) >= 4
    for item in devices():
        assert item.parts and item.boards and item.source
        assert all(part.startswith(item.name) or part.startswith(f"{item.name}i") for part in item.parts)
        amounts = dataclasses.asdict(item.resources)
        assert all(isinstance(amount, int) and amount > 0 for amount in amounts.values())
        assert item.resources.ff == 2 * item.resources.lut  # so it is in every 7-series device


def test_names_and_parts_are_unique():
    parts = [part.lower() for item in devices() for part in item.parts]
    assert len(set(parts)) == len(parts)
    assert [item.name for item in devices()] == sorted({item.name for item in devices()})


def test_case_does_not_matter():
    assert device_of("XC7Z010CLG400-1") is device_of("xc7z010clg400-1")
    assert device_of("xc7a35ticsg324-1l") is device_of("xc7a35ticsg324-1L")


@pytest.mark.parametrize("part", ["", "zybo", "xc7z010", "xc7z010clg400", "xc7z010clg400-1 "])
def test_unknown_part_is_one_line_with_a_hint(part):
    with pytest.raises(ConfigError, match=r"did you mean|known: ") as caught:
        device_of(part)
    assert repr(part) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


GOOD = {"name": "x", "parts": ["x-1"], "boards": [], "lut": 1, "ff": 1, "bram18": 1, "dsp": 1, "source": "s"}


@pytest.mark.parametrize("key", GOOD)
def test_device_file_without_a_field_is_named(key):
    with pytest.raises(ConfigError, match=r"device file own\.yaml: missing or wrong field"):
        device._device("own.yaml", {name: value for name, value in GOOD.items() if name != key})


@pytest.mark.parametrize("fields", [None, 3, [], GOOD | {"lut": "many"}, GOOD | {"parts": 3}])
def test_device_file_of_the_wrong_kind_is_named(fields):
    with pytest.raises(ConfigError, match=r"device file own\.yaml"):
        device._device("own.yaml", fields)
