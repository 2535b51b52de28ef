"""``gansdk card``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansdk.cli.commands import NAMED
from gansdk.cli.importing import uninterrupted
from gansdk.cli.session import Session, known_refs, session_of
from gansdk.errors import OutputError, UsageError

if TYPE_CHECKING:
    from gansdk.cards.card import Card
    from gansdk.inference.located import Located

_README = "README.md"


def card(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=known_refs)],
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="the card's file; its pictures go beside it (default: README.md in the model's folder; of a model "
            "that ships in a plugin the text is printed)",
            show_default=False,
        ),
    ] = "",
    pictures: Annotated[
        bool, typer.Option(help="Run the model to make the card's pictures; without, those that are there stay.")
    ] = True,
) -> None:
    """Make or renew a model's card from what was measured and recorded.

    What an author wrote outside of the marked regions, and fields of the front matter that gansdk does not know, stay.
    """
    session = session_of(context)
    located = session.catalog.locate(ref)
    from gansdk.cards.card import gather

    target = _target(session, located, output)
    found = gather(session.catalog, located)
    if target is None:
        _print(session, found)
    else:
        _write(session, located, found, target, pictures=pictures)


def _target(session: Session, located: Located, output: str) -> Path | None:
    """The card's file; None where it is printed."""
    from gansdk.evaluation.keeping import is_users_own
    from gansdk.files import stands

    if not output:
        return located.folder / _README if is_users_own(session.catalog, located) else None
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"give -o a file, as {path / _README}")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}", hint="create it first")
    stands(path)
    return path


def _print(session: Session, card: Card) -> None:
    from gansdk.cards.rendering import render

    text = render(card)
    if session.output.flags.json:
        session.output.record({"card": None, "text": text})
    else:
        session.output.data(text.rstrip("\n"))


def _write(session: Session, located: Located, card: Card, target: Path, *, pictures: bool) -> None:
    from gansdk.cards.rendering import read_card, render, with_pictures_beside
    from gansdk.files import write_whole

    before = read_card(target)
    render(card, before)  # a card that cannot be renewed is known before the model runs
    made = _make_pictures(session, located, target.parent) if pictures else []
    write_whole(target, render(with_pictures_beside(card, target), before))
    if session.output.flags.json:
        session.output.record({"card": str(target), "pictures": [str(path) for path in made]})
    else:
        words = f"{', '.join(path.name for path in made)} beside it" if made else "no picture was made"
        session.output.note(f"{target} {'is renewed' if before is not None else 'is written'}; {words}")
    if not card.evaluation.measurements:
        session.output.note(f"the model was never measured: gansdk eval {shlex.quote(located.ref)} --data FOLDER")


def _make_pictures(session: Session, located: Located, folder: Path) -> list[Path]:
    from gansdk.cards.exhibits import applicable

    if not applicable(located.config):
        return []
    method = session.catalog.method(located)
    session.output.note("making the card's pictures; --no-pictures leaves it out")
    with uninterrupted():
        import torch  # noqa: F401 - takes its time, and must not be torn apart

        from gansdk.cards.pictures import make_pictures
        from gansdk.options import LoadOptions
    return make_pictures(folder, located, method, LoadOptions(precision="fp32"))
