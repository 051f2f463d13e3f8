"""Classify images with the golden model alone, without TensorFlow: ``python scripts/05_golden_model.py SPEC.npz``."""

from pathlib import Path

from xnorflow.cli.ending import run_script
from xnorflow.net.spec_file import load_spec
from xnorflow.sources.data.sets import load_dataset


def main(spec_file: str = "projects/digits-spec.npz", data: str = "digits") -> None:
    """Print the class of the first test images and the accuracy on all of them."""
    spec, test = load_spec(Path(spec_file)), load_dataset(data).test
    classes = spec.predict(test.images)
    print("first ten: predicted", *classes[:10], "labels", *test.labels[:10])
    print(f"accuracy on {len(classes)} images: {100 * (classes == test.labels).mean():.2f} %")


if __name__ == "__main__":
    run_script(main)
