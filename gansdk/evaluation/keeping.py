"""Puts measurements into a model folder, so that whoever reads it meanwhile sees a whole model at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.errors import OutputError
from gansdk.evaluation.record import Evaluation, read_evaluation
from gansdk.files import held_folder, sha256, write_whole
from gansdk.model.config import CONFIG, EVALUATION, WEIGHTS, read_config
from gansdk.refs import Folder, parse

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.inference.catalog import Catalog
    from gansdk.inference.located import Located


def keep(folder: Path, newer: Evaluation, weights: str) -> Evaluation:
    """Merges measurements into those that a model folder has, and names the file in its config.

    The config stops naming the old file before there is a new one: a killed process leaves a model that loads. A
    training that would replace the model, and another call that measured it, wait for each other.

    Args:
        folder: The model's.
        newer: What was measured.
        weights: The digest of the weights that were measured.

    Raises:
        ModelError: If the folder holds no model, or measurements that cannot be read.
        OutputError: If it cannot be written to, or has other weights by now: nothing is written then.
    """
    with held_folder(folder):
        config = read_config(folder)
        if config.files[WEIGHTS] != weights:
            what = f"{folder} has other weights than those that were measured, so nothing is kept in it"
            raise OutputError(
                what, hint="a training goes on there? measure when it is done, or keep figures with -o FILE"
            )
        merged = (read_evaluation(folder) or Evaluation()).merged(newer)
        others = {name: digest for name, digest in config.files.items() if name != EVALUATION}
        write_whole(folder / CONFIG, config.model_copy(update={"files": others}).to_json())
        write_whole(folder / EVALUATION, merged.to_json())
        named = dict(sorted({**others, EVALUATION: sha256(folder / EVALUATION)}.items()))
        write_whole(folder / CONFIG, config.model_copy(update={"files": named}).to_json())
        return merged


def is_users_own(catalog: Catalog, located: Located) -> bool:
    """Whether a model's folder is the user's to write into: neither part of an installed plugin nor of the Hub's cache.

    A folder that is named by its path is.
    """
    if located.snapshot is not None:
        return False
    if isinstance(parse(located.ref), Folder):
        return True
    return all(located.folder != model.folder for model in catalog.registry.models.values())
