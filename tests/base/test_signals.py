import contextlib
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import needs_qkeras
from little_net import quarters, write_little
from processes import hear_ctrl_c, wait_for

from xnorflow.base.errors import ToolFailed
from xnorflow.base.processes import signals
from xnorflow.base.processes.programs import run_tool
from xnorflow.base.processes.signals import SIGNALS, stoppable
from xnorflow.flow.step import run_step
from xnorflow.sources.training.settings import TrainConfig

LINES = {
    signal.SIGINT: "xnorflow: stopped; the same command goes on from here\n",
    signal.SIGTERM: "xnorflow: stopped by SIGTERM; the same command goes on from here\n",
    signal.SIGHUP: "xnorflow: stopped by SIGHUP; the same command goes on from here\n",
}
# a command that waits with a bar on its terminal, and tells that it began and that it cleaned up
COMMAND = """
import os, sys, time
from pathlib import Path
from xnorflow.base.progress import progress_bar
from xnorflow.base.processes.signals import stoppable
begun, cleaned = map(Path, sys.argv[1:])
@stoppable
def main():
    with progress_bar("work", 10) as advance:
        advance(1)
        begun.touch()
        try:
            while True:
                time.sleep(0.01)
        finally:
            cleaned.touch()
sys.exit(main())
"""


@pytest.fixture(autouse=True)
def heard_by_default():
    """Whoever runs the tests may ignore a signal, such as a shell in the background."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    set_up = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    assert {number: signal.getsignal(number) for number in SIGNALS} == set_up, "not put back"
    for number, handler in before.items():
        signal.signal(number, handler)


def swallow(number):
    """A signal that comes where an exception ends nothing."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_ends_the_command_with_a_line_and_its_code(capsys, number):
    command = stoppable(lambda: signal.raise_signal(number) or 0)
    for _ in range(2):  # one command's signal is not the next one's
        assert command() == 128 + number
        assert capsys.readouterr().err == LINES[number]
    assert stoppable(lambda: 7)() == 7


@pytest.mark.parametrize("number", SIGNALS)
def test_ignored_signal_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    assert stoppable(lambda: signal.raise_signal(number) or 7)() == 7
    assert signal.getsignal(number) == signal.SIG_IGN
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def test_second_signal_leaves_no_half_clean_up(capsys):
    done = []

    @contextlib.contextmanager
    def cleaned_up():
        try:
            yield
        finally:
            signal.raise_signal(signal.SIGINT)
            with contextlib.suppress(ZeroDivisionError):
                try:
                    raise ZeroDivisionError
                finally:
                    signal.raise_signal(signal.SIGHUP)
            done.append(1)

    def command():
        with cleaned_up():
            signal.raise_signal(signal.SIGTERM)
        return 0

    assert stoppable(command)() == 143
    assert done == [1]
    assert capsys.readouterr().err == LINES[signal.SIGTERM]


def test_signal_that_was_swallowed_is_not_lost():
    assert stoppable(lambda: swallow(signal.SIGTERM) or 0)() == 143


def test_signal_after_one_that_was_swallowed_is_heard():
    done = []

    def command():
        swallow(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append(1)
        return 0

    assert stoppable(command)() == 130
    assert not done


def test_no_program_starts_after_a_signal_that_was_swallowed(tmp_path):
    def command():
        swallow(signal.SIGINT)
        run_tool(["touch", "file"], cwd=tmp_path, log=tmp_path / "log")
        return 0

    assert stoppable(command)() == 130
    assert not list(tmp_path.iterdir())


def test_step_in_which_a_signal_was_swallowed_is_not_done(tmp_path):
    def command():
        run_step(tmp_path / "step", {}, lambda folder: swallow(signal.SIGINT) or {})
        return 0

    assert stoppable(command)() == 130
    assert not (tmp_path / "step" / "result.json").exists()


def test_error_after_a_signal_is_its_consequence():
    def command():
        try:
            signal.raise_signal(signal.SIGHUP)
        finally:
            raise OSError("no terminal")

    assert stoppable(command)() == 129


def test_other_errors_pass():
    def command():
        raise ToolFailed("bad")

    with pytest.raises(ToolFailed, match="bad"):
        stoppable(command)()


def test_command_in_another_thread_leaves_signals_alone():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(stoppable(lambda: 7)()))
    thread.start()
    thread.join()
    assert codes == [7]


def test_check_outside_of_a_command_says_nothing():
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signals.raise_pending()


def test_closed_terminal_ends_the_command_in_order(tmp_path, package_env):
    """Nothing can be printed any more when the signal comes."""
    ours, its = os.openpty()
    begun, cleaned = tmp_path / "begun", tmp_path / "cleaned"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(begun), str(cleaned)],
        env=package_env, stdin=its, stdout=its, stderr=its, start_new_session=True, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    os.close(its)
    wait_for(begun.exists, process)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(300) == 129
    assert cleaned.exists()


def test_training_asks_for_a_signal_that_tensorflow_swallowed(tmp_path, monkeypatch):
    """The epoch in which it came may not be whole: it is not in the checkpoint."""
    needs_qkeras()
    from xnorflow.sources.training import seed as training
    from xnorflow.sources.training.train import train_network

    epochs = []

    def interrupted(run):
        epochs.append(run.epoch)
        if len(epochs) == 2:
            swallow(signal.SIGINT)
        return 0.5

    monkeypatch.setattr(training.TrainingRun, "accuracy", lambda run, split: 0.5)
    monkeypatch.setattr(training.TrainingRun, "_train_epoch", interrupted)
    job = (write_little(tmp_path), quarters(), tmp_path / "out", TrainConfig(epochs=3))
    command = stoppable(lambda: train_network(*job) and 0)
    assert command() == 130
    assert epochs == [0, 1]
    assert [line.split()[1] for line in (tmp_path / "out/seed-0.log").read_text().splitlines()] == ["1"]
    assert command() == 0
    assert epochs == [0, 1, 1, 2]
