"""A model that was found, and how its files come to be there when they are needed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansdk.errors import ModelError
from gansdk.model.config import check_files, check_folder, read_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gansdk.hub.pulling import Snapshot
    from gansdk.model.config import ModelConfig


@dataclass(frozen=True, repr=False)
class ResolvedModel:
    """A model that was found; nothing of it but its config was read. Plain data, so that another machine can have it.

    Attributes:
        ref: How it was named, aliases as typed.
        folder: Where it is.
        config: What it declares.
        snapshot: Of a model on the Hub: its commit. Only what is asked for is in ``folder``.
    """

    ref: str
    folder: Path
    config: ModelConfig
    snapshot: Snapshot | None = None

    def __repr__(self) -> str:
        return f"<ResolvedModel {self.ref} of {self.config.method} in {self.folder}>"

    @classmethod
    def at(cls, folder: Path) -> ResolvedModel:
        """The model in a folder of this machine.

        Raises:
            InputError: If there is no such folder.
            ModelError: If it holds no model that can be read.
        """
        return cls(str(folder), folder, read_config(folder))

    def ensure_files(self, files: Mapping[str, str]) -> None:
        """Sees to it that files of the model are in its folder, and whole.

        Args:
            files: By name, what the config says of them. A folder of this machine is whole or broken: all is looked at.

        Raises:
            ModelError: If one is missing, has another digest, or is no safetensors file although it claims to be.
            HubError: If one cannot be had from the Hub.
        """
        if self.snapshot is None:
            check_folder(self.folder, self.config)
            return
        from gansdk.hub.pulling import ensure_files

        ensure_files(self.snapshot, files)
        try:
            check_files(self.folder, files)
        except ModelError as error:
            self._mend(self.snapshot, files, error)

    def replaced(self) -> ResolvedModel | None:
        """The model that stands in the folder now, if it is another: a training replaces its own at each checkpoint."""
        if self.snapshot is not None:
            return None
        config = read_config(self.folder)
        return replace(self, config=config) if config != self.config else None

    def ensure_all_files(self) -> None:
        """Sees to it that all of the model is in its folder: all files of its config, evaluation, card and the rest.

        Raises:
            ModelError: As in `bring`.
            HubError: As in `bring`.
        """
        if self.snapshot is not None:
            from gansdk.hub.pulling import ensure_all_files

            ensure_all_files(self.snapshot, self.config)
        self.ensure_files(self.config.files)

    def _mend(self, snapshot: Snapshot, files: Mapping[str, str], error: ModelError) -> None:
        """What was whole when it came is damaged now, so it is fetched once more."""
        from gansdk.hub.pulling import ensure_files

        if snapshot.access.is_offline:
            hint = f"while online: gansdk pull {shlex.quote(str(snapshot.ref))}"
            raise ModelError(error.message, hint=hint) from None
        ensure_files(snapshot, files, again=True)
        check_files(self.folder, files)
