import dataclasses
import json
import os

import pytest
import yaml

from xnorflow.base.device import _key, device_of, devices, load_device, orderable
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import Counts
from xnorflow.cli.main import main


def test_home_board():
    zybo = device_of("xc7z010clg400-1")
    assert zybo.name == "xc7z010"
    assert zybo.resources == Counts(lut=17_600, ff=35_200, bram18=120, dsp=80)
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
    boards = [_key(board).removesuffix("t") for item in devices() for board in item.boards]
    assert len(set(boards)) == len(boards)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("XC7Z010CLG400-1", "xc7z010clg400-1"),
        ("xc7a35ticsg324-1l", "xc7a35ticsg324-1L"),
        ("xc7z010", "xc7z010clg400-1"),
        ("7z010", "xc7z010clg400-1"),
        ("xc7z020clg484", "xc7z020clg484-1"),
        ("xc7z010-clg400-2", "xc7z010clg400-2"),
        (" xc7z010clg400-1 ", "xc7z010clg400-1"),
        # as they are sold
        ("XC7Z010-1CLG400C", "xc7z010clg400-1"),
        ("xc7z010-3clg400", "xc7z010clg400-3"),
        ("XC7A35T-L1CSG324I", "xc7a35ticsg324-1L"),
        # boards
        ("Basys 3", "xc7a35tcpg236-1"),
        ("basys3", "xc7a35tcpg236-1"),
        ("zybo-z7-10", "xc7z010clg400-1"),
        ("ZYBO Z7 20", "xc7z020clg400-1"),
        ("pynq_z2", "xc7z020clg400-1"),
        ("arty-a7-35", "xc7a35ticsg324-1L"),
        ("Arty A7-100T", "xc7a100tcsg324-1"),
        ("nexys-a7-100", "xc7a100tcsg324-1"),
        ("zedboard", "xc7z020clg484-1"),
    ],
)
def test_any_usual_name_is_a_part(asked, part):
    assert orderable(asked) == part and part in device_of(asked).parts


@pytest.mark.parametrize("name", [board for item in devices() for board in item.boards])
def test_every_board_is_found(name):
    item = device_of(name)
    assert orderable(name.lower().replace(" ", "-")) == item.boards[name]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("zybo", "part 'zybo' may be Zybo Z7-10 or Zybo Zynq-7000 or Zybo Z7-20; name one of them"),
        ("Arty", "Arty A7-100T or Arty A7-35T or Arty Z7-10 or Arty Z7-20"),
        ("basys", "part 'basys' may be Basys 3"),
        ("", "unknown part ''; known: "),
        (" - ", "unknown part ' - '; known: "),
        ("virtex", "known: xc7a100t, "),
        ("xc7z010clg400-4", "did you mean xc7z010clg400-"),
        ("xc7z010-9clg400c", "did you mean xc7z010clg400-"),
        ("xc7z011", "did you mean "),
        ("zybo-z7-1", "part 'zybo-z7-1' may be Zybo Z7-10"),
        ("x\x1b[2J", "unknown part 'x\\x1b[2J'"),
        ("none.yaml", "device file: no such file: none.yaml"),
    ],
)
def test_other_names_are_one_line_with_a_hint(part, words):
    with pytest.raises(ConfigError) as caught:
        device_of(part)
    assert words in str(caught.value) and len(str(caught.value).splitlines()) == 1


OWN = {
    "name": "tiny7",
    "parts": ["xc7tiny100-1", "xc7tiny100-2"],
    "boards": {"My board": "xc7tiny100-2"},
    "lut": 8000,
    "ff": 16000,
    "bram18": 40,
    "dsp": 20,
    "source": "a data sheet",
    "pins": {"xc7tiny100": ["A1", "A2", "A3", "A4"]},
}


def written(tmp_path, fields):
    path = tmp_path / "my part.yaml"
    path.write_text(fields if isinstance(fields, str) else yaml.safe_dump(fields), encoding="utf-8")
    return path


def test_a_device_file_of_ones_own(tmp_path):
    path = written(tmp_path, OWN)
    item = load_device(path)
    assert (item.name, item.parts, item.boards) == ("tiny7", ("xc7tiny100-1", "xc7tiny100-2"), OWN["boards"])
    assert item.resources == Counts(8000, 16000, 40, 20) and item.slices == 2000
    assert item.pins == {"xc7tiny100": ("A1", "A2", "A3", "A4")}
    assert device_of(str(path)) == item and orderable(str(path)) == "xc7tiny100-1"
    required = {key: value for key, value in OWN.items() if key not in ("boards", "pins")}
    assert load_device(written(tmp_path, required)).boards == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *(({key: None}, f"field {key}: expected") for key in ("name", "parts", "lut", "source")),
        *(({key: "~"}, "missing required field " + key) for key in ("name", "parts", "lut", "dsp", "source")),
        ({"lut": "many"}, "field lut: expected int, got str"),
        ({"lut": 0}, "field lut: expected int >= 1"),
        ({"lut": True}, "field lut: expected int"),
        ({"ff": 1.5}, "field ff: expected int, got float"),
        ({"dsp": 10**9}, "field dsp: at most 100,000,000, got 1000000000"),
        ({"parts": []}, "field parts: one or more orderable parts"),
        ({"parts": "xc7tiny100-1"}, "field parts: expected array, got str"),
        ({"parts": ["xc7; exec reboot"]}, "field parts: a name of letters, digits, - and _ is wanted, got 'xc7; "),
        ({"parts": ["x" * 100]}, "field parts: a name of"),
        ({"name": ""}, "field name: a name of"),
        ({"pins": {"xc7tiny100": ["A1", "A2", "A3", "]"]}}, "field pins: a name of"),
        ({"boards": {"My board": "xc7z010clg400-1"}}, "field boards: the part of My board must be one of"),
        ({"pins": {"xc7tiny100": ["A1"]}}, "field pins"),
        ({"pins": {"xc7other": ["A1", "A2", "A3", "A4"]}}, "field pins: xc7other must be the begin of one of"),
        ({"lutt": 5}, "unknown field 'lutt'; did you mean lut?"),
        ({"colour": 5}, "unknown field 'colour'; known: name, parts, lut"),
    ],
)
def test_a_device_file_is_checked_field_by_field(tmp_path, change, words):
    fields = {key: value for key, value in (OWN | change).items() if value != "~"}
    with pytest.raises(ConfigError) as caught:
        load_device(written(tmp_path, fields))
    message = str(caught.value)
    assert "my part.yaml: " in message and words in message and len(message.splitlines()) == 1


@pytest.mark.parametrize("text", ["", "3", "[]", "a: [", "lut: 3\nlut: 4", "x" * 300_000])
def test_what_is_no_device_file(tmp_path, text):
    with pytest.raises(ConfigError, match="device file") as caught:
        load_device(written(tmp_path, text))
    assert "my part.yaml: " in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_a_pipe_is_no_device_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", tmp_path):
        with pytest.raises(ConfigError, match="not a regular file"):
            load_device(path)


def test_devices_are_listed(capsys):
    assert main(["devices", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in listed] == [item.name for item in devices()]
    assert listed[-1]["boards"]["PYNQ-Z2"] == "xc7z020clg400-1" and listed[-1]["resources"]["lut"] == 53200
    assert main(["devices"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "Zybo" in words and "17,600" in words and "DS190" in words
