"""Measures which reduced precisions a model can afford, and writes the answer into its facts.

    python scripts/measure_precision.py FOLDER

The photographs are astronaut, coffee and chelsea of scikit-image, shrunk to half their size. Run it once on a model
before it ships; `precision=auto` uses nothing that was not measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gansdk.evaluation.precision import PHOTOGRAPHS, halved, measure
from gansdk.files import write_whole
from gansdk.model.config import CONFIG
from gansdk.models.catalog import Catalog


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    catalog = Catalog.installed_here()
    resolved = catalog.locate(str(folder.absolute()))
    losses = measure(resolved, "bf16", {name: halved(name) for name in PHOTOGRAPHS})
    for loss in losses:
        print(f"bf16 {loss.photograph:<10} {loss.psnr:5.1f} dB, 99.9 % within {loss.steps:.2f} steps of 8 bits")
    safe = ("bf16",) if all(loss.passes for loss in losses) else ()
    facts = resolved.config.facts.model_copy(update={"safe_precisions": safe})
    write_whole(resolved.folder / CONFIG, resolved.config.model_copy(update={"facts": facts}).to_json())
    print(f"{resolved.folder / CONFIG}: safe_precisions is now {list(safe)}")


if __name__ == "__main__":
    main()
