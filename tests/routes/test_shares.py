"""Images shared out among the cores: each once, in order, in even parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnorflow.routes import shares


@given(st.integers(0, 300), st.integers(1, 20))
def test_every_image_is_in_one_share(images, workers):
    found = shares.shares_of(images, workers)
    assert [number for share in found for number in range(images)[share.images]] == list(range(images))
    sizes = {share.end - share.start for share in found}
    assert not sizes or (min(sizes) > 0 and max(sizes) - min(sizes) <= 1)
    assert len(found) == min(workers, images) and [share.index for share in found] == list(range(len(found)))


def test_a_share_per_core(monkeypatch):
    monkeypatch.setattr(shares, "cores", lambda: 3)
    assert len(shares.shares_of(10)) == 3


def test_results_stand_in_the_order_of_the_images():
    numbers = np.arange(17)
    parts = shares.in_shares(lambda share: numbers[share.images], 17, 4)
    assert np.array_equal(np.concatenate(parts), numbers)
    with pytest.raises(ZeroDivisionError):
        shares.in_shares(lambda share: 1 // (share.index - 2), 17, 4)
