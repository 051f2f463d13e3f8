"""Fold a trained network into its golden model and look inside: ``python scripts/02_extract.py MODEL.h5``."""

from pathlib import Path

from xnorflow.cli.ending import run_script
from xnorflow.net.layers import ScoreSpec
from xnorflow.net.spec_file import save_spec
from xnorflow.sources.keras.extract import extract_file


def main(model: str = "keras_models/digits.h5", output: str = "projects/digits-spec.npz") -> None:
    """Extract the NetSpec of ``model``, print its layers and write it to ``output``."""
    spec = extract_file(Path(model))
    for layer, shape in spec.walk():
        print(f"{layer.name}: reads {shape}, {layer.n_in} inputs x {layer.n_out} outputs")
        if not isinstance(layer, ScoreSpec):
            print(f"    thresholds {layer.thresholds.min()} to {layer.thresholds.max()}")
    print(f"wrote {output}, sha256 {save_spec(spec, Path(output))}")


if __name__ == "__main__":
    run_script(main)
