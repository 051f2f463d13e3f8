"""What the tests of data sets share."""

import pytest

from xnorflow.sources.data.sets import DataSet, Split, load_dataset


def message(error: type[Exception], *call: object, has: tuple[object, ...] = ()) -> str:
    """Call ``load_dataset``, which must fail with one line that holds all of ``has``."""
    with pytest.raises(error) as caught:
        load_dataset(*call)  # type: ignore[arg-type]
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    for part in has:
        assert str(part) in text, f"{part!r} is not in {text!r}"
    return text


def parts(data: DataSet) -> tuple[Split, Split, Split]:
    return data.train, data.validation, data.test
