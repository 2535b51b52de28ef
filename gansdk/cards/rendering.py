"""A card as a file: new, or renewed with all that its author wrote."""

from __future__ import annotations

import functools
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
from markupsafe import Markup

from gansdk.cards import card as card_files
from gansdk.cards import tables
from gansdk.cards.card import (
    DOUBTFUL,
    MISTAKEN,
    TRIALS,
    applicable,
    evaluated_by,
    sorted_by,
    sweeps,
)
from gansdk.cards.commands import examples, other_trainings, reproduction
from gansdk.cards.front_matter import authors_fields, front_matter, split
from gansdk.cards.tables import escaped, tested
from gansdk.errors import InputError, OutputError
from gansdk.evaluation.codes import latent_variables
from gansdk.evaluation.record import unevaluated
from gansdk.files import read_plain
from gansdk.model.facts import ImageGeneratorFacts, LatentGeneratorFacts
from gansdk.model.variables import Categorical
from gansdk.tasks.traverse import TraverseOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gansdk.cards.card import Card
    from gansdk.model.variables import LatentVariable


_PHOTOGRAPHS = {"astronaut", "chelsea", "coffee", "rocket"}

_BLOCK = re.compile(r"^(\d*)([#>+~.)-])")
"""What begins a heading, a quotation, a list or a fence, where a paragraph begins with it."""


def render(card: Card, before: str | None = None) -> str:
    """The text of a card; the same text from the same records.

    Args:
        card: What is known of the model.
        before: The card as it is: its author's sections and fields stay. None for a new one.

    Raises:
        OutputError: If the card was not made by gansdk and does not say where the generated parts shall stand, or its
            front matter or markers are damaged.
    """
    if before is None:
        return f"---\n{front_matter(card)}\n---\n\n{fresh(regions(card))}"
    fields, text = split(before)
    return f"---\n{front_matter(card, fields)}\n---\n{renewed(text, regions(card))}"


def authors_part(card: Card, text: str) -> tuple[str, dict[str, Any]]:
    """What in a card is its author's: the words outside of the regions, and fields of the front matter.

    Args:
        card: What is known of the model.
        text: The card as it is.

    Raises:
        OutputError: As in `render`.
    """
    fields, body = split(text)
    return outside(body), authors_fields(card, fields)


def read_card(path: Path) -> str | None:
    """A card that is there, or None.

    Raises:
        InputError: If it cannot be read as text.
    """
    if not path.exists():
        return None
    try:
        return read_plain(path).decode()  # an author's line ends are the author's
    except (OSError, ValueError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeError) else getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as text: {why}", hint="give another file with -o") from None


def with_images_beside(card: Card, path: Path) -> Card:
    """The card with those images that lie beside its file."""
    return replace(card, images=tuple(name for name in applicable(card.config) if (path.parent / name).is_file()))


def regions(card: Card) -> dict[str, str]:
    """The generated parts of a card by name, in their order; empty where there is nothing to say."""
    template = _environment().get_template("card.md.jinja")
    context = template.new_context(_context(card))
    texts = {name: "".join(block(context)) for name, block in template.blocks.items()}
    return {name: re.sub(r"\n{3,}", "\n\n", text.strip()) for name, text in texts.items()}


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gansdk.cards", ""),
        finalize=escaped,  # each value that is printed goes through it, so no template can forget
        autoescape=True,  # for Markup alone: without it, filters would lose what is escaped already
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(sentence=_sentence, code=_code, verbatim=_verbatim)
    return environment


def _sentence(text: str) -> Markup:
    """A summary as a paragraph of one sentence."""
    text = " ".join(text.split())
    text = f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
    return Markup(_BLOCK.sub(r"\1\\\2", escaped(text)))  # noqa: S704 - escaped here


def _code(text: str) -> Markup:
    """A word in backquotes, in which it cannot have others. HTML means nothing there."""
    return Markup("`{}`").format(Markup(" ".join(text.split()).replace("`", "'")))  # noqa: S704 - in backquotes


def _verbatim(text: str) -> Markup:
    """A line of an indented block of code, which only a line without indentation could end."""
    return Markup(" ".join(text.splitlines()))  # noqa: S704 - one indented line


def _context(card: Card) -> dict[str, Any]:
    """What the template prints besides the card's own records."""
    config, facts, measurements = card.config, card.config.facts, card.evaluation.measurements
    generator = facts.generator
    calls = [examples(task, facts) for task in card.tasks]
    commands = [example.command(card.ref) for task_calls in calls for example in task_calls]
    if config.checkpoints and calls:
        commands.append(f"{calls[0][0].command(card.ref)} --network-interpolation 0.5")
    works = {credit.item.rpartition(".")[0] for credits_ in card.attributions.data.values() for credit in credits_}
    return {
        "card": card,
        "files": card_files,
        "tables": tables,
        "panels": f"input, bicubic, {', '.join(card.checkpoints) if config.checkpoints else 'this model'}, truth",
        "has_unseen_photographs": bool(works) and not works & _PHOTOGRAPHS,
        "columns": sorted_by(facts),
        "sweeps": sweeps(facts),
        "seed": TraverseOptions.model_fields["seed"].default,
        "install": f"pip install {shlex.quote(config.requires)}",
        "run_commands": commands,
        "programs": [task_calls[-1].python(card.ref) for task_calls in calls],
        "commands_again": reproduction(card),
        "other_trainings": other_trainings(card),
        "unevaluated": unevaluated(facts, card.evaluation),
        "tested": tested(card),
        "shares": [found for found in measurements if found.metric in ("code-fidelity", "clustering-accuracy")],
        "has_failing_images": bool({TRIALS, MISTAKEN, DOUBTFUL} & set(card.images)),
        "has_shrunk_images": any(found.protocol.get("kernel") for found in measurements),
        "evaluator_data": evaluated_by(config) if MISTAKEN in card.images else None,
        "from_image": generator if isinstance(generator, ImageGeneratorFacts) else None,
        "from_latent": generator if isinstance(generator, LatentGeneratorFacts) else None,
        "encoder": facts.encoder,
        "found_codes": [variable for variable in latent_variables(facts) if _was_found(card, variable)],
    }


def _was_found(card: Card, variable: LatentVariable) -> bool:
    """Whether a code's words came after its categories: a training with labels has classes in their data's order."""
    if not isinstance(variable, Categorical) or card.config.trained is None:
        return False
    known_splits = [card.datasets[data.digest] for data in card.config.trained.data if data.digest in card.datasets]
    return any(
        set(variable.labels) == set(split.classes) and variable.labels != split.classes for split in known_splits
    )


HERE = "<!-- gansdk:here -->"

_MARKER = re.compile(r"^<!-- gansdk:(begin|end) ([a-z-]+) -->[ \t]*\r?$", re.MULTILINE)
_HERE = re.compile(r"^<!-- gansdk:here -->[ \t]*\r?$", re.MULTILINE)


class _Piece(NamedTuple):
    """A stretch of a card: a region's name and content, or an author's text (name empty)."""

    name: str
    text: str


def fresh(regions: Mapping[str, str]) -> str:
    """The text of a new card: the regions in their order, without those that are empty."""
    return "\n".join(_wrapped(name, content) for name, content in regions.items() if content)


def renewed(text: str, regions: Mapping[str, str]) -> str:
    """A card with its regions renewed and everything else as it was.

    A region that it lacks is put behind the one before it in the order of ``regions``; one for which there is nothing
    to say any more keeps its place and is empty.

    Args:
        text: The card as it is.
        regions: What shall stand in them, by name, in their usual order.

    Raises:
        OutputError: If it has no regions and no line that says where they shall stand, or its markers do not match.
    """
    pieces = _parsed(text)
    if not any(piece.name for piece in pieces):
        if not _HERE.search(text):
            what = "the card was not made by gansdk, so it is left as it is"
            raise OutputError(what, hint=f"put a line {HERE} where the generated parts shall stand, or give -o")
        return _HERE.sub(lambda _: fresh(regions).rstrip("\n"), text, count=1)
    present = [piece.name for piece in pieces if piece.name]
    pieces = [_Piece(piece.name, regions.get(piece.name, "")) if piece.name else piece for piece in pieces]
    for name, content in regions.items():
        if name not in present and content:
            pieces = _inserted(pieces, _Piece(name, content), list(regions))
    return "".join(_wrapped(*piece) if piece.name else piece.text for piece in pieces)


def outside(text: str) -> str:
    """What an author wrote into a card, outside of all regions: line by line, without those that are blank.

    Raises:
        OutputError: If its markers do not match.
    """
    lines = [line.rstrip() for piece in _parsed(text) if not piece.name for line in piece.text.splitlines()]
    return "\n".join(line for line in lines if line and line != HERE)


def _wrapped(name: str, content: str) -> str:
    inside = f"{content.strip()}\n" if content.strip() else ""
    return f"<!-- gansdk:begin {name} -->\n{inside}<!-- gansdk:end {name} -->\n"


def _inserted(pieces: list[_Piece], new: _Piece, order: list[str]) -> list[_Piece]:
    before = order[: order.index(new.name)]
    places = [at for at, piece in enumerate(pieces) if piece.name in before]
    if places:
        at = max(places, key=lambda place: before.index(pieces[place].name)) + 1
        return [*pieces[:at], _Piece("", "\n"), new, *pieces[at:]]
    first = next(at for at, piece in enumerate(pieces) if piece.name)
    return [*pieces[:first], new, _Piece("", "\n"), *pieces[first:]]


def _parsed(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    at, opened, line, counted = 0, "", 1, 0
    begun: set[str] = set()
    for marker in _MARKER.finditer(text):
        kind, name = marker.groups()
        end = marker.end() + (1 if text[marker.end() : marker.end() + 1] == "\n" else 0)
        line, counted = line + text.count("\n", counted, marker.start()), marker.start()
        if kind == "begin":
            if opened or name in begun:
                raise _damaged(f"line {line} of the card begins the region {name!r} inside another, or a second time")
            begun.add(name)
        elif opened != name:
            raise _damaged(f"line {line} of the card ends the region {name!r}, which is not open")
        pieces.append(_Piece(opened, text[at : marker.start()]))
        opened, at = name if kind == "begin" else "", end
    if opened:
        raise _damaged(f"the card's region {opened!r} has no end")
    return [*pieces, _Piece("", text[at:])]


def _damaged(what: str) -> OutputError:
    return OutputError(what, hint="mend the marker lines, or give another file with -o")
