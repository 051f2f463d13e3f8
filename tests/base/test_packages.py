"""A package that is missing, and one that is there and can't be loaded, are told apart."""

import sys

import pytest

from xnorflow.base.errors import ToolNotFound
from xnorflow.base.packages import needed
from xnorflow.sources.data.sets import load_dataset


def said(error):
    with pytest.raises(ToolNotFound) as caught, needed("Thing", "the work", "thing"):
        raise error
    text = str(caught.value)
    assert text.startswith("the work needs Thing: ") and text.isprintable() and len(text) < 600
    return text


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.inner"])
def test_a_missing_package_is_to_be_installed(module):
    text = said(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert text == f"the work needs Thing: No module named {module!r}; install with: pip install thing"


NATIVE = """Traceback (most recent call last):
  File "pywrap.py", line 73
ImportError: libx.so.2: failed to map segment from shared object

Failed to load the native runtime.
See https://example.org for some common causes.
"""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImportError("libx.so.2: failed to map segment from shared object"), "failed to map segment"),
        (ImportError(NATIVE), ": ImportError: libx.so.2: failed to map segment from shared object; "),
        (ImportError("cannot import name 'x' from 'numpy'"), "cannot import name"),
        (ModuleNotFoundError("No module named 'numpy.gone'", name="numpy.gone"), "numpy.gone"),
        (ImportError("x" * 100_000), "xxx"),
        (ImportError(), "ImportError"),
        (ImportError("odd\x1b[31m"), r"odd\x1b[31m"),
    ],
)
def test_a_package_that_is_there_is_not_called_missing(error, reason):
    text = said(error)
    assert reason in text and "installed, but not to be loaded" in text
    assert "more memory" in text and "pip install --force-reinstall thing" in text


def test_short_memory_is_short_memory(monkeypatch):
    with pytest.raises(MemoryError), needed("Thing", "the work", "thing"):
        raise MemoryError
    # a part of a package that is there
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    pytest.importorskip("sklearn")
    with pytest.raises(ToolNotFound, match=r"digits needs scikit-learn: installed, but not to be loaded"):
        load_dataset("digits")
