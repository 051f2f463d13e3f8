"""Networks from elsewhere in the whole flow: whatever a file is called, it is the same network."""

import shutil

from flow_runs import DIGITS

from xnorflow import api
from xnorflow.flow.job import TRAIN
from xnorflow.sources.keras.file.read import load_model


def test_a_keras_archive_goes_through_the_flow_as_the_h5_does(finished, tmp_path):
    expected = api.report(finished)
    model, _ = load_model(finished / TRAIN / "digits.h5")
    model.save(tmp_path / "net.keras")
    shutil.copy(tmp_path / "net.keras", tmp_path / "renamed.h5")
    shutil.copy(finished / TRAIN / "digits.h5", tmp_path / "renamed.keras")
    for name in ("net.keras", "renamed.h5", "renamed.keras"):
        report = api.extract(DIGITS, project=tmp_path / f"project {name}", model=tmp_path / name)
        assert report.agrees and report.trained_here is False
        assert report.spec_sha256 == expected.spec_sha256
        assert [result.accuracy for result in report.results] == [expected.results[0].accuracy] * 2
