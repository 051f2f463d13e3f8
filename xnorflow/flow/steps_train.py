"""The step 01-train: train the network, take the one that is given, or keep the one that the project holds.

A project holds one network. A finished one is never replaced by another without ``Run.overwrites_network``.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from xnorflow.base.errors import ConfigError, DataError, shown
from xnorflow.base.files.atomic import is_file, sha256_file
from xnorflow.base.files.folders import MARKER
from xnorflow.base.files.plain import read_json
from xnorflow.flow.job import EXTRACT, NETWORK_SUFFIXES, TRAIN
from xnorflow.flow.reads import plain
from xnorflow.flow.state import Run
from xnorflow.flow.step import INPUTS, RESULT, StepResult, read_result
from xnorflow.sources.training.card import Card, find_card


class Trained(TypedDict):
    """What the step found."""

    trained_here: bool
    card: Card | None


class Taken(Trained, total=False):
    """With the name of the file where one was given; projects of earlier versions lack it."""

    file: str


@dataclass(frozen=True)
class Held:
    """The network that a project holds.

    Attributes:
        step: what the step that brought it left.
        inputs: what it was made from.
        name: its file in the step's folder.
        digest: hash of this file.
        words: what a message calls it.
    """

    step: StepResult
    inputs: dict[str, Any]
    name: str
    digest: str
    words: str

    @property
    def trained_here(self) -> bool:
        """Whether it was trained in this project, and not taken from a file."""
        return bool(self.step.values["trained_here"])


def train_step(run: Run) -> StepResult:
    """Train the network or take over the one given; keep what the project holds where it is this, or none is named.

    Raises:
        ConfigError: the project holds another network, or the file that is given is missing.
        DataError: the project holds a network, and what is noted about it is damaged.
    """
    held = _held(run)
    step = _trained(run, held) if run.job.model is None else _given(run, run.job.model, held)
    run.add(trained_here=step.values["trained_here"], card=step.values["card"])
    return step


def _held(run: Run) -> Held | None:
    """Return the finished network of a project; None where there is none to lose."""
    folder = run.job.project / TRAIN
    try:
        step = read_result(folder, Taken)
        if step is None:
            return None
        names = [name for name in step.files if Path(name).suffix in NETWORK_SUFFIXES]
        if len(names) == 1 and not os.path.lexists(folder / names[0]):
            return None
        (name,) = names
        if any(sha256_file(folder / part) != step.files[part] for part in (name, INPUTS)):
            raise ValueError("changed since")
        inputs = read_json(folder / INPUTS)
        return Held(step, inputs, name, step.files[name], _words(step, inputs))
    except (DataError, KeyError, TypeError, ValueError, AttributeError) as error:
        if run.overwrites_network or not any(path.suffix in NETWORK_SUFFIXES for path in folder.iterdir()):
            return None
        raise DataError(
            f"{shown(folder)} holds a network, but it or its {RESULT} was changed or damaged since; to keep it, copy "
            "it and give the copy by --model with another --project; add --overwrite to replace it"
        ) from error


def _words(step: StepResult, inputs: dict[str, Any]) -> str:
    card: Card | None = step.values["card"]
    if not step.values["trained_here"]:
        return f"the network of {shown(step.values.get('file', 'a file'))}"
    if card is None:
        raise TypeError("a network that was trained has a card")
    # the step's own time is that of the last run only, where earlier ones were stopped
    words = f"{inputs['train']['epochs']} epochs of {shown(card.data.name)}"
    return f"a network trained here in {card.seconds:,.0f} s ({words})"


def _given(run: Run, model: Path, held: Held | None) -> StepResult:
    from xnorflow.sources.keras.file.read import check_model

    if not is_file(model) and not model.is_dir():
        raise ConfigError(f"no such network file: {shown(model)}")
    # under the name that its user knows, and before anything is copied
    check_model(model)
    card, remark = find_card(model)
    if remark:
        print(f"xnorflow: {remark}", file=sys.stderr, flush=True)
    given = plain({"model": sha256_file(model), "card": None if card is None else dataclasses.asdict(card)})
    if held is not None and held.digest == given["model"]:
        if held.trained_here or given["card"] in (None, held.inputs.get("card")):
            return run.take(held.step)
    elif held is not None:
        _refuse(run, held, f"the network of {shown(model)}")
    folder = run.job.project / TRAIN
    if folder.resolve() in model.resolve().parents:
        raise ConfigError(
            f"{shown(model)} is in a folder that is emptied to take it; copy it elsewhere and name that"
        )

    def work(folder: Path) -> dict[str, Any]:
        suffix = ".keras" if model.suffix == ".keras" else ".h5"
        shutil.copyfile(model, folder / f"{run.job.name}{suffix}")
        return {"trained_here": False, "card": card, "file": model.name}

    return run.kept_step(TRAIN, given, work, kind=Taken)


def _trained(run: Run, held: Held | None) -> StepResult:
    config, job = run.config, run.job
    if config.network is None and held is not None and not job.names_network:
        return run.take(dataclasses.replace(held.step, note=f"{held.words}, taken over"))
    network = config.network_file
    inputs = {
        "network": sha256_file(network) if is_file(network) else None,
        "data": run.data.sha256,
        "train": dataclasses.asdict(config.train),
        "input_bits": config.input.bits,
        "pixel_threshold": config.input.pixel_threshold,
    }
    configured = dataclasses.asdict(job.configured or config.train)
    if held is not None:
        asked = plain(inputs)
        if asked == {key: held.inputs.get(key) for key in inputs}:
            return run.take(held.step)
        if not job.names_network and not run.overwrites_network and _is_remembered(held, asked, job.name):
            return run.take(dataclasses.replace(held.step, note=f"{held.words}, taken over"))
        _refuse(run, held, _wanted(held, asked, run))

    def work(folder: Path) -> dict[str, Any]:
        from xnorflow.sources.training.train import train_network

        trained = train_network(network, run.data, folder, config.train, config.input)
        return {"trained_here": True, "card": trained.card}

    made_from = {**inputs, "configured": configured}
    return run.kept_step(TRAIN, made_from, work, keeps=lambda path: path.suffix in (".npz", ".log"), kind=Taken)


def _is_remembered(held: Held, asked: dict[str, Any], name: str) -> bool:
    """Whether the same configuration brought the network here, by options that this command does not repeat."""
    if not held.trained_here:
        return Path(held.name).stem == name
    return {**held.inputs, "train": held.inputs.get("configured")} == {**asked, "configured": asked["train"]}


def _wanted(held: Held, asked: dict[str, Any], run: Run) -> str:
    """Return in words how the training asked for differs from the network that is there."""
    if not held.trained_here:
        return f"one of {run.config.network_file.name} trained on {run.data.name}"
    old = held.inputs
    found = [f"{key} {value}" for key, value in asked["train"].items() if value != old["train"].get(key)]
    if asked["network"] != old.get("network"):
        found.append(f"the network file {run.config.network_file.name} as it is")
    if asked["data"] != old.get("data"):
        found.append(f"data {run.data.name}")
    found += [f"{key} {asked[key]}" for key in ("input_bits", "pixel_threshold") if asked[key] != old.get(key)]
    return f"one trained with {', '.join(found)}"


def _refuse(run: Run, held: Held, wanted: str) -> None:
    """Refuse to replace a network unless that was asked for.

    Raises:
        ConfigError: it was not.
    """
    extraction = run.job.project / EXTRACT
    # a file that could not be read as a network: the copy of it is nobody's work
    unread = (
        not held.trained_here and os.path.lexists(extraction / MARKER) and not os.path.lexists(extraction / RESULT)
    )
    if not run.overwrites_network and not unread:
        raise ConfigError(
            f"{shown(run.job.project)} holds {held.words}, asked for is {wanted}; add --overwrite to replace it, "
            "or name another --project"
        )
