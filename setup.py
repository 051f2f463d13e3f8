"""Builds the package. setup.cfg says what it is; here is only where the networks go, which setup.cfg cannot say."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# they stand beside the package, where whoever works in a checkout looks for them (xnorflow/flow/starter.py)
FOLDERS = ("hls_configs", "keras_models")


class BuildWithNetworks(build_py):
    """Copies the networks and configurations into what is built, as ``xnorflow/shipped/``."""

    def run(self) -> None:
        """Build; what is installed as editable finds them in the checkout."""
        super().run()
        if not self.editable_mode:
            for folder in FOLDERS:
                target = Path(self.build_lib, "xnorflow", "shipped", folder)
                target.mkdir(parents=True, exist_ok=True)
                for path in sorted(Path(folder).iterdir()):
                    if path.is_file():
                        self.copy_file(str(path), str(target / path.name))


setup(cmdclass={"build_py": BuildWithNetworks})
