"""The step 02-extract: the golden model, compared with Keras on every test image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.base.errors import ConfigError
from xnorflow.flow.job import EXTRACT
from xnorflow.flow.report import InputRow
from xnorflow.flow.state import Compared, Run, Trace
from xnorflow.flow.step import StepResult
from xnorflow.net.inputs import InputSpec
from xnorflow.net.spec import NetSpec
from xnorflow.net.spec_file import save_spec
from xnorflow.sources.data.sets import DataSet


class Extracted(Compared):
    """What 02-extract found: the hash of the golden model, how Keras and it did, and what is doubtful about it."""

    spec: str
    warnings: tuple[str, ...]


def extract_step(run: Run) -> StepResult:
    """Extract the golden model and compare it with Keras on every test image."""
    known = _known_accuracy(run)

    def work(trace: Trace, folder: Path) -> dict[str, Any]:
        from xnorflow.routes.compare import KERAS, compare_scores, simulate_golden
        from xnorflow.sources.keras.accuracy import accuracy_warnings
        from xnorflow.sources.keras.extract import extract_model, keras_classes, keras_scores
        from xnorflow.sources.keras.file.read import load_model

        test = trace.data.test
        model, settings = load_model(trace.model_file)
        spec = extract_model(model, settings or trace.config.input)
        _check_classes(spec, trace.data)
        digest = save_spec(spec, folder / "spec.npz")
        expected, golden = simulate_golden(spec, test)
        scores = keras_scores(model, spec, test.images)
        classes = keras_classes(model, spec, test.images, scores)
        keras = compare_scores(KERAS, scores, expected, test.labels, None, classes)
        warnings = accuracy_warnings(model, spec, test, keras.accuracy, known)
        return {"spec": digest, "results": (keras, golden), "warnings": warnings}

    step = run.step(EXTRACT, work, kind=Extracted, given={"known_accuracy": known})
    run.add(spec_sha256=step.values["spec"], input=_input_row(run.spec.input))
    run.add(warnings=step.values["warnings"])
    run.add_results(step)
    return step


def _known_accuracy(run: Run) -> float | None:
    """Return the accuracy on these very images that the network's card has, if any."""
    card = run.report.card
    return card.accuracy.test if card is not None and card.data.sha256 == run.data.sha256 else None


def _input_row(source: InputSpec) -> InputRow:
    thresholds = "their values as they are"
    if source.bits == 1:
        low, high = source.thresholds.min(), source.thresholds.max()
        shared = f"+1 from {', '.join(map(str, source.thresholds[0]))} on"
        thresholds = shared if len(source.thresholds) == 1 else f"each with a threshold of its own, {low} to {high}"
    return InputRow(source.pixels, source.bits_per_pixel, thresholds)


def _check_classes(spec: NetSpec, data: DataSet) -> None:
    if spec.n_classes != data.n_classes:
        raise ConfigError(
            f"network {spec.name} gives {spec.n_classes} scores, but {data.name} has {data.n_classes} classes"
        )
