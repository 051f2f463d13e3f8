"""A layer as a Keras file declares it -> what is taken over of it: types checked, quantizers read, others refused."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from xnorflow.base.checks import got
from xnorflow.base.errors import ConfigError, DataError, shown
from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.net.rules import wrong_kernel, wrong_sign
from xnorflow.sources.keras.chain import TRAINING_ONLY, inner_activation, not_binary

# values of one image between two layers; a picture of 4,000 x 4,000 pixels in 4 channels has as many
MOST_VALUES = 64_000_000
OWN_MODULES = re.compile(r"(keras|tf_keras|qkeras|builtins)(\..*)?")
# layers of Keras whose configuration holds Python code
CODE = ("Lambda", "TFOpLambda", "SlicingOpLambda")

Size = Annotated[int, Meta(ge=1, le=MOST_VALUES)]
Sizes = Size | Annotated[list[Size], Meta(min_length=1, max_length=3)]
Axes = int | Annotated[list[int], Meta(max_length=4)]
Given = Sizes | None | UnsetType
Flag = bool | UnsetType
Text = str | None | UnsetType
DType = Literal["float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"]


class Binary(msgspec.Struct):
    """QKeras' quantizer ``binary``, the only one that a network here has."""

    use_01: bool | int = False
    alpha: bool | int | float | str | None = None
    use_stochastic_rounding: bool | int = False


class _Dense(msgspec.Struct):
    units: Size
    use_bias: Flag = UNSET
    activation: Any = None
    kernel_quantizer: Any = None


class _Conv(msgspec.Struct):
    filters: Size
    kernel_size: Sizes
    strides: Given = UNSET
    padding: Text = UNSET
    data_format: Text = UNSET
    dilation_rate: Given = UNSET
    groups: Size | UnsetType = UNSET
    use_bias: Flag = UNSET
    activation: Any = None
    kernel_quantizer: Any = None
    # of QKeras 1 (Keras 3): weights that are left out
    mask: None = None


class _Norm(msgspec.Struct):
    axis: Axes | UnsetType = UNSET
    epsilon: float | UnsetType = UNSET
    center: Flag = UNSET
    scale: Flag = UNSET
    renorm: Literal[False] | UnsetType | None = UNSET


class _Sign(msgspec.Struct):
    activation: Any


class _Activation(msgspec.Struct):
    activation: Any


class _Softmax(msgspec.Struct):
    axis: Axes | UnsetType = UNSET


class _Pool(msgspec.Struct):
    pool_size: Given = UNSET
    strides: Given = UNSET
    padding: Text = UNSET
    data_format: Text = UNSET


class _Flatten(msgspec.Struct):
    data_format: Text = UNSET


class _Reshape(msgspec.Struct):
    target_shape: Axes


# what is taken over of each layer, in Keras' own words
_LAYERS: dict[str, type[msgspec.Struct]] = {
    "QDense": _Dense,
    "QConv2D": _Conv,
    "BatchNormalization": _Norm,
    "QActivation": _Sign,
    "Activation": _Activation,
    "Softmax": _Softmax,
    "MaxPooling2D": _Pool,
    "Flatten": _Flatten,
    "Reshape": _Reshape,
}


class Entry(msgspec.Struct):
    """A layer in a file; ``inbound_nodes`` says which layers it reads, where the network is no Sequential."""

    class_name: str
    config: dict[str, Any]
    module: str | None = None
    inbound_nodes: list[Any] = []

    @property
    def name(self) -> str:
        """The layer's name in the file."""
        return str(self.config.get("name") or "")

    @property
    def kind(self) -> str:
        """The layer's class; Keras 3 writes QKeras' own as ``qkeras>QDense`` into an .h5."""
        return self.class_name.removeprefix("qkeras>")


def typed(value: Any, kind: Any, where: str) -> Any:
    """Return plain data as ``kind``.

    Raises:
        DataError: it is of another type, which ``where`` says the place of.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}damaged, or not written by Keras ({shown(error)})") from error


def check_class(entry: Entry) -> None:
    """Refuse a layer that is none of ``_LAYERS``, before anything of it is made.

    Raises:
        ConfigError: naming it.
    """
    kind, name, module = entry.kind, entry.name, entry.module
    if module is not None and not OWN_MODULES.fullmatch(module):
        raise ConfigError(
            f"layer {shown(name)}: {shown(kind)} from module {got(module)} is refused; "
            "only Keras' and QKeras' own may load"
        )
    if kind in _LAYERS or kind in TRAINING_ONLY or kind == "InputLayer":
        return
    if kind not in CODE and any(
        hasattr(own, kind) for own in (import_keras().layers, import_qkeras(), import_keras())
    ):
        raise not_binary(name, kind)
    raise ConfigError(
        f"layer {shown(name)}: {got(kind)} is refused, for loading it could run code; a binary network is made of "
        f"QDense, QConv2D, BatchNormalization, QActivation('binary'), MaxPooling2D and Flatten"
    )


def layer_settings(entry: Entry) -> dict[str, Any]:
    """Return the arguments of a layer's class that count at inference, a quantizer as ``Binary``.

    Raises:
        ConfigError: a quantizer that is not ``binary``, or an input in the middle.
        DataError: an argument of another type.
    """
    kind, name = entry.kind, entry.name
    if kind == "InputLayer":
        raise ConfigError(f"layer {shown(name)}: a network has one input, at its beginning")
    where = f"layer {shown(name)}: "
    settings = msgspec.structs.asdict(typed(entry.config, _LAYERS[kind], where))
    activation = settings.get("activation")
    if kind == "QActivation":
        settings["activation"] = _binary(activation)
        if settings["activation"] is None:
            raise wrong_sign(name, _label(activation))
    elif kind == "Activation" and activation not in ("linear", "softmax"):
        raise ConfigError(
            f"layer {shown(name)}: an Activation may only be 'softmax', behind the scores; got {_label(activation)}; "
            "between layers use QActivation('binary')"
        )
    elif "kernel_quantizer" in settings:
        if activation not in (None, "linear"):
            raise inner_activation(name, _label(activation))
        quantizer = settings["kernel_quantizer"]
        settings["kernel_quantizer"] = _binary(quantizer)
        if settings["kernel_quantizer"] is None:
            raise wrong_kernel(name, _label(quantizer))
    settings.pop("mask", None)
    return {key: value for key, value in settings.items() if value is not UNSET} | _dtype(entry.config, where)


def _dtype(config: dict[str, Any], where: str) -> dict[str, Any]:
    found = config.get("dtype")
    while isinstance(found, dict):
        found = found.get("config", found.get("name"))
    return {} if found is None else {"dtype": typed(found, DType, f"{where}dtype: ")}


def _binary(value: Any) -> Binary | None:
    """Return a quantizer as QKeras reads it, None where it is another than ``binary``."""
    if isinstance(value, str):
        called = re.fullmatch(r"\s*binary\s*(?:\(([^()]*)\))?\s*", value)
        value = _arguments(called[1] or "") if called else None
    elif isinstance(value, dict):
        named = str(value.get("class_name")).removeprefix("qkeras>") == "binary"
        own = OWN_MODULES.fullmatch(str(value.get("module") or "qkeras"))
        value = value.get("config") if named and own else None
    try:
        quantizer: Binary = msgspec.convert(value, Binary)
        return quantizer
    except msgspec.ValidationError:
        return None


def _arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments in ``binary(...)``, in the grammar of QKeras' safe_eval; None where they are others."""
    names = Binary.__struct_fields__
    found: dict[str, Any] = {}
    for position, item in enumerate(text.split(",") if text.strip() else []):
        key, equals, word = item.partition("=")
        name = key.strip() if equals else "".join(names[position : position + 1])
        if name not in names:
            return None
        found[name] = _plain((word if equals else key).strip())
    return found


def _plain(word: str) -> Any:
    if word in ("True", "False"):
        return word == "True"
    for number in (int, float):
        try:
            return number(word)
        except ValueError:
            continue
    return word[1:-1] if word[:1] in ("'", '"') else [word]


def _label(quantizer: Any) -> str:
    if isinstance(quantizer, dict) and quantizer.get("class_name") not in (None, "binary", "qkeras>binary"):
        return shown(str(quantizer["class_name"])[:100])
    if isinstance(quantizer, str) and quantizer:
        return shown(quantizer[:100])
    return "none" if quantizer is None else got(quantizer)
