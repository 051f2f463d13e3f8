"""The one place that arranges TensorFlow, tf-keras, QKeras and hls4ml so that they agree.

QKeras 0.9.0 is a Keras 2 library. Since TensorFlow 2.16 Keras 2 lives in the package
``tf_keras``; TensorFlow uses it when ``TF_USE_LEGACY_KERAS`` is set before it is imported, and
hls4ml uses it when it finds it under the name ``keras``. ARCHITECTURE.md says why this stack.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

from xnorflow.base.errors import ConfigError
from xnorflow.base.packages import needed

_FLOW = ("the flow", "'xnorflow[flow]'")


def import_keras() -> Any:
    """Return the module ``tf_keras``, arranged so that QKeras and hls4ml use the same one.

    Raises:
        ToolNotFound: a package is missing.
        ConfigError: TensorFlow was imported before, with Keras 3.
    """
    _arrange()
    return sys.modules["tf_keras"]


def import_qkeras() -> Any:
    """Return the module ``qkeras`` on top of ``import_keras``."""
    _arrange()
    return sys.modules["qkeras"]


def import_hls4ml() -> Any:
    """Return the module ``hls4ml``, which sees ``tf_keras`` under the name ``keras``."""
    _arrange()
    with _quiet(), needed("hls4ml", *_FLOW):
        import hls4ml
    return hls4ml


def _arrange() -> None:
    if "qkeras" in sys.modules and "tf_keras" in sys.modules:
        return
    if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise ConfigError(
            "TensorFlow was imported before xnorflow and has chosen Keras 3, but QKeras 0.9.0 needs "
            "Keras 2; import xnorflow.sources.training.train first, or set TF_USE_LEGACY_KERAS=1"
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow leaves oneDNN off where there is no AVX-512; a step of cnv takes 62 ms with it and 83 without
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _quiet(), needed("tensorflow, tf-keras and qkeras", *_FLOW):
        import tensorflow
        import tf_keras

        sys.modules["keras"] = tf_keras
        import qkeras  # noqa: F401

        tensorflow.constant(0)  # makes it look for devices now, while its remarks are held back
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Keras 2 warns of its own h5 format and of QKeras' initializers, which nobody here can change
    warnings.filterwarnings("ignore", category=UserWarning, module=r"tf_keras\.")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow's start-up chatter off the terminal; print it after all if the import fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as chatter, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        terminal = os.dup(2)
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException:
            chatter.seek(0)
            os.write(terminal, chatter.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
