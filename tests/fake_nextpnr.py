"""Stand-ins for nextpnr."""

from pathlib import Path

FAKES = Path(__file__).parent / "fake_tools"
