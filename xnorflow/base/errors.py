"""The one exception family of xnorflow.

A message is a single line that says what was wrong, what is allowed, the value got and how to
mend it. The command line prints it after ``xnorflow: error:`` and exits with ``exit_code``.
"""

from __future__ import annotations


def shown(name: object) -> str:
    """Return a name from outside, such as a path or a layer's, with its control characters escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
        for char in str(name)
    )


class XnorflowError(Exception):
    """Base of every error that xnorflow raises on purpose."""

    exit_code = 2


class ConfigError(XnorflowError):
    """A YAML file, a command line or a network that xnorflow can't accept as it stands."""


class DataError(XnorflowError):
    """A data set or a stored file that is missing, damaged or of the wrong shape."""


class ToolNotFound(XnorflowError):
    """A program or Python package that a step needs is not installed, or can't be loaded."""


class ToolFailed(XnorflowError):
    """A program ran and failed; the message names its log."""


class ReportError(XnorflowError):
    """A tool's report that is incomplete or not a report; the message names file and field."""


class Mismatch(XnorflowError):
    """Two implementations of one network disagree."""

    exit_code = 1
