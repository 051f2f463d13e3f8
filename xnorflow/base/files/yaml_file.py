"""YAML files of a user's own: safe, of a bounded size, every key once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from xnorflow.base.errors import ConfigError, shown
from xnorflow.base.files.atomic import read_bytes

# the longest configuration that comes along has 2 KB; PyYAML reads some 100 KB in a second
_MOST_BYTES = 1 << 18


def load_yaml(path: Path, what: str) -> Any:
    """Return what a YAML file holds; ``what`` it should be is named in errors, such as "a configuration".

    Raises:
        DataError: as ``files.read_bytes``.
        ConfigError: it is not YAML, nests too deep, or has a key twice or a merge key.
    """
    content = read_bytes(path, _MOST_BYTES)
    try:
        return yaml.load(content.decode(), Loader=_UniqueKeyLoader)
    except RecursionError as error:
        raise ConfigError(f"{shown(path)}: not {what} (nested too deep)") from error
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError, OverflowError) as error:
        # SafeLoader's own constructors raise the last five, as for the date 2001-99-99
        raise ConfigError(f"{shown(path)}: not {what} ({shown(' '.join(str(error).split()))})") from error


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice, which YAML would silently take the last of.

    Merge keys are refused as well: a few lines of them unfold to more entries than there is memory.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            line = f"line {key_node.start_mark.line + 1}"
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise yaml.YAMLError(f"merge keys (<<) are not read, {line}; write the entries out")
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, (list, dict, set)):
                raise yaml.YAMLError(f"a list or a table is no key, {line}")
            if key in seen:
                raise yaml.YAMLError(f"key {key!r} stands twice, {line}")
            seen.add(key)
        return super().construct_mapping(node, deep)
