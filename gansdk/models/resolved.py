"""A model that was found: its folder, config and method; its files are downloaded when they are needed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansdk.errors import MissingPluginError, ModelError
from gansdk.model.config import BASE, WEIGHTS, check_files, check_folder, read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gansdk.hub.snapshots import Snapshot
    from gansdk.model.config import ModelConfig
    from gansdk.plugins.declarations import Method


@dataclass(frozen=True, repr=False)
class ResolvedModel:
    """A model of which only the config was read. It is plain data and can be sent to another machine.

    Attributes:
        ref: How it was named, aliases as typed.
        folder: Where it is.
        config: What it declares.
        plugin: Its method; or why it is missing, so that a model can be listed and copied without its plugin.
        base: The model of another method that it uses: in the same folder, with its weights in ``base.safetensors``.
        snapshot: The commit of a model on the Hub; only the files asked for are in ``folder``.
        weights: The file with its tensors.
    """

    ref: str
    folder: Path
    config: ModelConfig
    plugin: Method | MissingPluginError
    base: ResolvedModel | None = None
    snapshot: Snapshot | None = None
    weights: str = WEIGHTS

    def __repr__(self) -> str:
        return f"<ResolvedModel {self.ref} of {self.config.method} in {self.folder}>"

    @classmethod
    def of(
        cls,
        ref: str,
        folder: Path,
        config: ModelConfig,
        find_method: Callable[[str, ModelConfig], Method | MissingPluginError],
        snapshot: Snapshot | None = None,
    ) -> ResolvedModel:
        """A model with its base.

        ``find_method`` gives the method of a config, or why it is missing; its first argument is for the message.
        """
        base = None
        if config.base is not None:
            inner = config.of_base(config.base)
            name = f"the base of {ref}"
            base = cls(name, folder, inner, find_method(name, inner), snapshot=snapshot, weights=BASE)
        return cls(ref, folder, config, find_method(ref, config), base, snapshot)

    @classmethod
    def at(cls, folder: Path, *methods: Method) -> ResolvedModel:
        """The model in a folder of this machine; its method and its base's are among ``methods``."""
        known = {method.name: method for method in methods}

        def find(ref: str, config: ModelConfig) -> Method | MissingPluginError:
            what = f"{ref} needs the method {config.method!r}"
            return known.get(config.method, MissingPluginError(what, hint=f"pip install {config.requires}"))

        return cls.of(str(folder), folder, read_config(folder), find)

    @property
    def missing_plugin(self) -> MissingPluginError | None:
        """Why its method or that of its base is not here, with the line that installs it; None if both are."""
        plugins = [model.plugin for model in (self, self.base) if model is not None]
        return next((plugin for plugin in plugins if isinstance(plugin, MissingPluginError)), None)

    def check_plugin(self) -> None:
        """Raises :attr:`missing_plugin`, if there is one."""
        if missing := self.missing_plugin:
            raise missing

    @property
    def method(self) -> Method:
        """Its method; raises as :meth:`check_plugin`."""
        if isinstance(self.plugin, MissingPluginError):
            raise self.plugin
        self.check_plugin()
        return self.plugin

    @property
    def base_method(self) -> Method | None:
        """The method of its base; None if it has none."""
        return self.base.method if self.base is not None else None

    def ensure_files(self, files: Mapping[str, str]) -> None:
        """Makes sure that files of the model are in its folder, and whole.

        Args:
            files: Their digests by name. Of a folder on this machine all files are checked: it is whole or broken.

        Raises:
            ModelError: If one is missing, has another digest, or only claims to be a safetensors file.
            HubError: If one cannot be downloaded.
        """
        if self.snapshot is None:
            check_folder(self.folder, self.config)
            return
        from gansdk.hub.snapshots import ensure_files

        ensure_files(self.snapshot, files)
        try:
            check_files(self.folder, files)
        except ModelError as error:  # it was whole when it came and is damaged now
            if self.snapshot.access.is_offline:
                hint = f"while online: gansdk pull {shlex.quote(str(self.snapshot.ref))}"
                raise ModelError(error.message, hint=hint) from None
            ensure_files(self.snapshot, files, again=True)
            check_files(self.folder, files)

    def ensure_all_files(self) -> None:
        """Makes sure that the whole model is in its folder, with evaluation and card; raises as `ensure_files`."""
        if self.snapshot is not None:
            from gansdk.hub.snapshots import ensure_all_files

            ensure_all_files(self.snapshot, self.config)
        self.ensure_files(self.config.files)

    def replaced(self) -> ResolvedModel | None:
        """The model that is in the folder now, if it is another: a training replaces its own at each checkpoint."""
        if self.snapshot is not None:
            return None
        config = read_config(self.folder)
        if config == self.config:
            return None
        base = self.base
        if base is not None and config.base is not None:
            base = replace(base, config=config.of_base(config.base))
        return replace(self, config=config, base=base)
