"""Functions that hand on keyword arguments of another one, and show them as their own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any, TypeVar, cast, get_type_hints

F = TypeVar("F", bound=Callable[..., Any])


def spelled_out(source: Callable[..., Any]) -> Callable[[F], F]:
    """Return a decorator for functions whose ``**options`` are the keyword arguments of ``source``.

    ``help``, editors and notebooks then show each of them with its type and default, and a name that is none of
    them is refused under the name of the function that was called. A type checker reads the options' own
    ``Unpack[...]``.
    """
    hints = get_type_hints(source)
    named = [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(source).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
    ]

    def decorate(function: F) -> F:
        signature = _signature(function, named)

        @functools.wraps(function)
        def checked(*arguments: Any, **options: Any) -> Any:
            for name in options:
                if name not in signature.parameters:
                    known = ", ".join(signature.parameters)
                    raise TypeError(f"{function.__name__}() has no argument {name!r}; it takes {known}")
            return function(*arguments, **options)

        checked.__annotations__ = _annotations(signature)
        # inspect and pydoc look here first
        vars(checked)["__signature__"] = signature
        return cast("F", checked)

    return decorate


def _signature(function: Callable[..., Any], named: list[Parameter]) -> inspect.Signature:
    """Return a function's signature with ``named`` in the place of its last parameter, the ``**options``."""
    signature = inspect.signature(function)
    *own, options = signature.parameters.values()
    if options.kind is not Parameter.VAR_KEYWORD:
        raise TypeError(f"{function.__name__}() must end with **options")
    # a name that only type checkers know
    del function.__annotations__[options.name]
    hints = get_type_hints(function)
    known = [parameter.replace(annotation=hints[parameter.name]) for parameter in own]
    return signature.replace(parameters=[*known, *named], return_annotation=hints["return"])


def _annotations(signature: inspect.Signature) -> dict[str, Any]:
    kept = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    return {**kept, "return": signature.return_annotation}
