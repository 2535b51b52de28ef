"""How the Hub is spoken to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """How the Hub is spoken to.

    Attributes:
        offline: Whether no socket may be opened. The client's ``HF_HUB_OFFLINE`` says the same.
        bars: Whether bars show how far large files are, where somebody watches.
    """

    offline: bool = False
    bars: bool = True

    @property
    def is_offline(self) -> bool:
        """What the caller said, or the user's environment."""
        from huggingface_hub import constants

        return self.offline or bool(constants.HF_HUB_OFFLINE)


ONLINE = Access()
"""As the user's environment has it."""
