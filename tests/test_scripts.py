"""The gallery: each script runs and does what its docstring says."""

import importlib.util
import json
from pathlib import Path

import pytest

from xnorflow import api
from xnorflow.flow.report import load_report
from xnorflow.net.spec_file import load_spec

ROOT = Path(__file__).resolve().parents[1]
DIGITS = str(ROOT / "hls_configs/digits.yaml")
CARD = json.loads((ROOT / "keras_models/digits.json").read_text())
ACCURACY = f"{CARD['accuracy']['golden']:.2%}".replace("%", " %")


def script(name: str):
    """Load a script of the gallery as a module."""
    path = next((ROOT / "scripts").glob(f"{name}*.py"))
    loader = importlib.util.spec_from_file_location(f"script_{name}", path)
    module = importlib.util.module_from_spec(loader)
    loader.loader.exec_module(module)
    return module


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of its own: scripts write beside where they are called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_script_is_run_here():
    covered = {"01", "02", "03", "04", "05", "06"}
    assert {path.name[:2] for path in (ROOT / "scripts").glob("*.py")} == covered


def test_train(here, capsys):
    config = here / "quick.yaml"
    text = Path(DIGITS).read_text().replace("../keras_models", str(ROOT / "keras_models")).replace("300", "2")
    config.write_text(text)
    script("01").main(str(config))
    assert "best_epoch" in capsys.readouterr().out
    assert load_report(here / "projects/quick").card.train.epochs == 2
    # the rest of the gallery goes on with this very network
    network = (here / "projects/quick/01-train/digits.h5").read_bytes()
    script("03").main(str(config))
    assert (here / "projects/quick/01-train/digits.h5").read_bytes() == network
    assert load_report(here / "projects/quick").trained_here is True


def test_extract_and_golden_model(here, capsys):
    script("02").main(str(ROOT / "keras_models/digits.h5"), "digits.npz")
    assert load_spec(here / "digits.npz").n_classes == 10
    assert "dense1: reads (64,), 64 inputs x 64 outputs" in capsys.readouterr().out
    script("05").main("digits.npz", "digits")
    out = capsys.readouterr().out
    assert "first ten: predicted" in out and f"accuracy on 359 images: {ACCURACY}" in out


def test_convert_csim_and_report(here, capsys):
    api.extract(DIGITS, pretrained=True)
    script("03").main(DIGITS)
    assert "ap_int<8>" in capsys.readouterr().out
    assert (here / "projects/digits/03-convert/project/build_prj.tcl").is_file()
    with pytest.raises(SystemExit) as ended:
        script("04").main(DIGITS)
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.count("359 images, 0 with a score that differs") == 4
    script("06").main("projects/digits", "digits.md")
    assert f"| C simulation, testbench | {ACCURACY} | 0 | 0 |" in (here / "digits.md").read_text()
