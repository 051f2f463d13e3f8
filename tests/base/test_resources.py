"""Counts: one order, arithmetic kind by kind, and what is not told stays so."""

import dataclasses
import json

import pytest

from xnorflow.base.device import device_of
from xnorflow.base.files.plain import from_plain
from xnorflow.base.resources import KINDS, NONE, Counts
from xnorflow.tools.report import Usage

SOME = Counts(lut=10, ff=20, bram18=3, dsp=0)


def test_kinds_stand_in_one_order_wherever_they_come_from():
    assert SOME.items() == (("lut", 10), ("ff", 20), ("bram18", 3), ("dsp", 0))
    assert tuple(field.name for field in dataclasses.fields(Counts)) == KINDS
    assert [SOME[kind] for kind in KINDS] == list(SOME.values())
    with pytest.raises(KeyError):
        SOME["slices"]
    # a JSON file brings them back in the order of the alphabet
    text = json.dumps(dataclasses.asdict(SOME), sort_keys=True)
    assert from_plain(Counts[int], json.loads(text), "x") == SOME


def test_arithmetic_is_kind_by_kind():
    assert SOME + SOME == SOME.scaled(2) == Counts(20, 40, 6, 0)
    assert SOME.scaled(0.5) == Counts(5, 10, 1, 0)
    assert sum([SOME, SOME], NONE) == SOME + SOME
    assert SOME.over(Counts(8, 20, 4, 0)) == Counts(2, 0, 0, 0)
    assert SOME.within(SOME) and not SOME.within(Counts(8, 20, 4, 0))


def test_what_a_source_does_not_tell_is_none_and_never_0():
    told = Usage(lut=5, lutram=1, dsp=0).counts
    assert told == Counts(5, None, None, 0)
    assert told + SOME == SOME + told == Counts(15, None, None, 0)


def test_a_part_is_told_in_counts():
    assert device_of("xc7z010").resources.values() == (17_600, 35_200, 120, 80)
