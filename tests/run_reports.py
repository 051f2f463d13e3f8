"""A run's report, made up."""

import dataclasses

from xnorflow.flow.report import LayerRow, RunReport, StepRow
from xnorflow.net.inputs import InputSettings
from xnorflow.routes.compare import LayerMismatch, SimResult
from xnorflow.sources.training.card import Accuracy, Card, CardData, SeedRun, Seeds
from xnorflow.sources.training.settings import TrainConfig

MISMATCH = LayerMismatch("dense1", "sums", 640, 12, ((0, 3, 20, 4), (7, 1, -9, 7)), "remove it")


GOOD = SimResult("golden model", 100, 0.9, 0, 0, 0.5)


BAD = SimResult("C simulation, library", 100, 0.89, 3, 9, None, MISMATCH)


CARD = Card(
    network="tiny",
    data=CardData("digits", "ab" * 32, 100),
    input=InputSettings(1, [64, 128]),
    seed=3,
    best_epoch=7,
    accuracy=Accuracy(0.75, 0.5, 0.5),
    seeds=Seeds(0.5, None, (SeedRun(3, 7, 0.75, 0.5, 0.5, 1.5),)),
    train=TrainConfig(seed=3),
    seconds=1.5,
    versions={"python": "3.11.7"},
    sha256="ef" * 32,
)


def report(**changes):
    base = RunReport(
        name="tiny",
        part="xc7z010clg400-1",
        device="xc7z010",
        clock_mhz=100.0,
        backend="Vivado",
        io_type="io_parallel",
        data_name="digits",
        data_sha256="ab" * 32,
        test_images=100,
        trained_here=True,
        card=CARD,
        spec_sha256="cd" * 32,
        layers=(
            LayerRow("dense1", 64, 16, "Resource", 64, 64, "ap_int<8>", "ap_int<8>"),
            LayerRow("scores", 16, 10, "Latency", 1, 1, "ap_uint<5>", "ap_int<6>"),
        ),
        results=(GOOD,),
        steps=(StepRow("01-train", 1.5, False), StepRow("02-extract", 0.25, True)),
    )
    return dataclasses.replace(base, **changes)
