"""Stand-ins for nextpnr."""

from pathlib import Path

FAKES = Path(__file__).parents[1] / "fake_tools"
