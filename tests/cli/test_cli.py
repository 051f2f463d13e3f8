"""The command line: exit codes, one line per error, help with examples, pipes and Ctrl-C."""

import json
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from xnorflow import __version__, api
from xnorflow.base.doctor import Finding
from xnorflow.cli import main as cli
from xnorflow.cli.main import main
from xnorflow.flow.report import load_report

COMMANDS = ("doctor", "init", "data", "train", "extract", "write", "simulate", "run", "report")
FLOW = ("train", "extract", "write", "convert", "simulate", "csim", "run")
DIGITS = str(ROOT / "hls_configs" / "digits.yaml")


def command(*arguments, env, **options):
    argv = [sys.executable, "-m", "xnorflow", *map(str, arguments)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, **options)


def fails(capsys, *arguments):
    """The only line that a wrong command prints."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as error:
        code = error.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("xnorflow: error: ")
    return err


# --- help


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert [name for name in COMMANDS if f"\n    {name} " not in out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_has_an_example_that_parses(capsys, name):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    example = out.partition("example: xnorflow ")[2]
    assert example.startswith(name)
    assert cli._parser().parse_args(shlex.split(example)).command


def test_every_command_is_a_function_of_the_api():
    assert all(callable(getattr(api, name)) for name in COMMANDS)


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"xnorflow {__version__}\n")


def test_the_package_runs_as_a_module():
    ran = subprocess.run([sys.executable, "-m", "xnorflow", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.split()[0] == "xnorflow"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required: COMMAND"),
        (["sinth"], "invalid choice: 'sinth'"),
        (["run"], "required: config"),
        (["run", DIGITS, "--epoch", "3x"], "invalid int value: '3x'"),
        (["run", DIGITS, "--nonsense"], "unrecognized arguments: --nonsense"),
        (["report", "p", "--json", "--markdown"], "not allowed with argument"),
    ],
)
def test_wrong_command_lines(capsys, arguments, says):
    line = fails(capsys, *arguments)
    assert says in line and "--help" in line


# --- the user's mistakes


@pytest.mark.parametrize("name", FLOW)
def test_missing_configuration(capsys, name, tmp_path):
    assert "no such configuration: " in fails(capsys, name, tmp_path / "none.yaml", "--project", tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("reuse_factor: {dense1: 63}", "63"),
        ("reuse_factor: {dense9: 64}", "has no layer 'dense9'; it has dense1, dense2, scores"),
        ("strategy: resource", "strategy must be Latency or Resource, got 'resource'"),
        ("part: xc7z010clg401-1", "did you mean xc7z010clg400-1"),
        ("pard: x", "unknown key pard; did you mean part?"),
        ("data: mnist5", "mnist5"),
    ],
)
def test_wrong_configurations(capsys, tmp_path, finished, line, says):
    path = tmp_path / "wrong.yaml"
    kept = {"network": ROOT / "keras_models" / "digits.py", "part": "xc7z010clg400-1", "data": "digits"}
    kept.pop(line.partition(":")[0], None)
    path.write_text("\n".join([f"{key}: {value}" for key, value in kept.items()] + [line]))
    model = finished / "01-train" / "digits.h5"
    # the steps that go well say so before the one that fails
    assert main(["convert", str(path), "--model", str(model), "--project", str(tmp_path / "p")]) == 2
    err = capsys.readouterr().err.splitlines()
    assert all(entry.startswith(("01-train: ", "02-extract: ")) for entry in err[:-1])
    assert err[-1].startswith("xnorflow: error: ") and says in err[-1]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--model", "none.h5"], "no such network file"),
        (["--model", "."], "no such network file"),
        (["--epochs", "0"], "train.epochs must be a whole number >= 1 and at most 100,000, got 0"),
        (["--seed", "-1"], "train.seed must be a whole number >= 0 and at most 4,294,967,295, got -1"),
        (["--data", "none.npz"], "none.npz"),
        (["--data", "mnist6"], "mnist6"),
        (["--pretrained", "--model", "x.h5"], "--pretrained"),
    ],
)
def test_wrong_options(capsys, tmp_path, monkeypatch, more, says):
    monkeypatch.chdir(tmp_path)
    assert says in fails(capsys, "run", DIGITS, "--project", tmp_path / "p", *more)


def test_missing_network_file(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text("network: tfd.py\npart: xc7z010clg400-1\ndata: digits\n")
    (tmp_path / "tfc.py").write_text("")
    line = fails(capsys, "train", tmp_path / "a.yaml", "--project", tmp_path / "p")
    assert "no such network file" in line and "in its folder: tfc" in line


def test_place_that_cannot_be_written(capsys, tmp_path, finished):
    (tmp_path / "file").write_text("")
    assert "cannot write" in fails(capsys, "run", DIGITS, "--project", tmp_path / "file" / "p")
    assert "cannot write" in fails(capsys, "report", finished, "--json", "-o", tmp_path / "file" / "x.json")


def test_failing_compiler_shows_its_last_lines(capsys, project, tmp_path, monkeypatch):
    shutil.rmtree(project / "04-csim")
    program = tmp_path / "gxx"
    program.write_text("#!/bin/sh\necho 'fatal: no such thing'\nexit 4\n")
    program.chmod(0o755)
    monkeypatch.setenv("XNORFLOW_GXX", str(program))
    assert main(["csim", DIGITS, "--epochs", "2", "--project", str(project)]) == 2
    *steps, first, last = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in steps] == ["01-train", "02-extract", "03-convert"]
    assert first.startswith(f"xnorflow: error: {program} failed with exit code 4; log: {project}")
    assert last == "    fatal: no such thing"


def test_no_compiler_is_one_line(capsys, project, monkeypatch):
    shutil.rmtree(project / "04-csim")
    monkeypatch.setenv("XNORFLOW_GXX", "/nonexistent")
    assert main(["run", DIGITS, "--epochs", "2", "--project", str(project)]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("xnorflow: error: the C simulation needs g++") and "XNORFLOW_GXX" in last


# --- reports


def test_report_as_text_json_and_markdown(capsys, finished):
    assert main(["report", str(finished)]) == 0
    text = capsys.readouterr().out
    assert "is it right?" in text and "04-csim" in text
    assert main(["report", str(finished), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["agrees"] is True and values["interval_cycles"] == 4
    assert main(["report", str(finished), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [index for index, line in enumerate(lines) if line.startswith("|---") or line.startswith("| ---")]
    assert len(heads) == 3
    assert all(lines[i].count("|") == lines[i - 1].count("|") == lines[i + 1].count("|") for i in heads)


def test_report_to_a_file(capsys, finished, tmp_path):
    for form, name in (("--json", "r.json"), ("--markdown", "r.md")):
        assert main(["report", str(finished), form, "-o", str(tmp_path / "new" / name)]) == 0
        assert capsys.readouterr().out == ""
        assert main(["report", str(finished), form]) == 0
        assert (tmp_path / "new" / name).read_text(encoding="utf-8") == capsys.readouterr().out
    assert main(["report", str(finished), "-o", str(tmp_path / "plain")]) == 0
    assert (tmp_path / "plain").read_text() == (tmp_path / "new" / "r.md").read_text()


def test_no_report(capsys, tmp_path):
    assert "run `xnorflow run CONFIG` first" in fails(capsys, "report", tmp_path)
    assert "run `xnorflow run CONFIG` first" in fails(capsys, "report", tmp_path / "none")


def test_second_run_prints_what_it_took_over(capsys, project):
    assert main(["run", DIGITS, "--epochs", "2", "--project", str(project)]) == 0
    out, err = capsys.readouterr()
    names = ("01-train", "02-extract", "03-convert", "04-csim")
    assert err.splitlines() == [f"{name}: taken over from an earlier run" for name in names]
    assert out.count("earlier run") == 4 and "100 MHz" in out


def test_exit_code_1_where_something_differs(capsys, finished, monkeypatch):
    report = load_report(finished)
    wrong = report.results[-1].__class__(**{**vars(report.results[-1]), "scores_differ": 1})
    changed = report.__class__(**{**vars(report), "results": (*report.results[:-1], wrong)})
    monkeypatch.setattr(cli.api._flow, "run_flow", lambda *a, **k: changed)
    assert main(["run", DIGITS]) == 1
    monkeypatch.setattr(cli.api._flow, "run_flow", lambda *a, **k: report)
    assert main(["run", DIGITS]) == 0


# --- data and doctor


def test_data(capsys, digits_data, tmp_path):
    assert main(["data", "digits"]) == 0
    out = capsys.readouterr().out
    assert digits_data.sha256 in out and "1,258" in out and "8 x 8" in out
    images, labels = digits_data.test.images, digits_data.test.labels
    np.savez(tmp_path / "own.npz", images=images, labels=labels)
    assert main(["data", str(tmp_path / "own.npz")]) == 0
    assert "8 x 8" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"\x93NUMPY"])
def test_damaged_data(capsys, tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    assert "own.npz" in fails(capsys, "data", tmp_path / "own.npz")


@pytest.mark.parametrize(("required", "code"), [(True, 1), (False, 0)])
def test_doctor_exits_with_1_where_something_needed_is_missing(capsys, monkeypatch, required, code):
    missing = Finding("thing", None, "everything", required, "pip install thing")
    monkeypatch.setattr(cli.api, "doctor", lambda: [missing])
    assert main(["doctor"]) == code
    out = capsys.readouterr().out
    assert "missing" in out and "pip install thing" in out


# --- pipes, Ctrl-C


@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]])
def test_closed_pipe_is_quiet(finished, package_env, form):
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    argv = [sys.executable, "-m", "xnorflow", "report", str(finished), *form]
    ended = subprocess.run(argv, env=package_env, stdout=reader.stdin, stderr=subprocess.PIPE, text=True, timeout=600)
    reader.stdin.close()
    assert (ended.returncode, ended.stderr) == (0, "")


def test_interrupt_has_a_code_of_its_own(capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.api, "doctor", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "xnorflow: stopped; the same command goes on from here\n"


def test_terminal_that_knows_only_ascii(finished, package_env):
    ended = command("report", finished, env={**package_env, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert ended.returncode == 0
    assert "is it right?" in ended.stdout and "Traceback" not in ended.stderr


def test_run_as_a_program_has_the_exit_code(package_env, tmp_path):
    ended = command("report", tmp_path, env=package_env)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("xnorflow: error: no report.json in ")
    assert ended.stderr.count("\n") == 1
