"""A card's front matter: what the Hub reads. Made by the Hub's own client, without a connection."""

from __future__ import annotations

import datetime
import math
import re
from typing import TYPE_CHECKING, Any, cast

from gansdk.errors import OutputError
from gansdk.evaluation.codes import read_codes
from gansdk.evaluation.restoration import PREFIX
from gansdk.hub.access import import_client
from gansdk.model.facts import ImageGeneratorFacts, LatentGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huggingface_hub import EvalResult

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Measurement
    from gansdk.model.facts import Facts


_LONGEST = 2**17
"""Letters; ours has up to 10,000."""

_MOST_BITS = 64

_OURS = ("library_name", "pipeline_tag", "license", "license_name", "model-index")


def front_matter(card: Card, before: Mapping[str, Any] | None = None) -> str:
    """The YAML between a card's first two lines of dashes.

    Args:
        card: The model.
        before: What stood there: an author's own fields and tags stay.
    """
    import_client()
    from huggingface_hub import ModelCardData, utils

    client: Any = utils  # its types leave this function out

    theirs = {key: value for key, value in (before or {}).items() if key not in _OURS and value is not None}
    tags = theirs.pop("tags", [])
    tasks = pipeline_tags(card.config.facts)
    results = [
        _result(found, card, tasks)
        for found in card.evaluation.measurements
        if not found.seen and not found.data.startswith(PREFIX)
    ]
    data: Any = ModelCardData(
        library_name="gansdk",
        pipeline_tag=next(iter(tasks), None),
        tags=list(dict.fromkeys([*tags, *_tags(card)])),
        model_name=card.name if results else None,
        eval_results=results or None,
        **cast("dict[str, Any]", hub_licence(card.config.licence)),
    )
    made = data.to_dict()
    fields = {**theirs, **made}
    order = [*(key for key in before or () if key in fields), *made, *theirs]
    return str(client.yaml_dump({key: fields[key] for key in dict.fromkeys(order)}, sort_keys=False)).strip()


def authors_fields(card: Card, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Of a card's front matter what its author wrote: fields that are not made here, and tags beyond those made."""
    found = {key: value for key, value in fields.items() if key not in _OURS}
    own = [tag for tag in found.pop("tags", []) if tag not in _tags(card)]
    return {**found, "tags": own} if own else found


def _tags(card: Card) -> list[str]:
    return ["gansdk", card.config.method, *(task.name for task in card.tasks), *pipeline_tags(card.config.facts)[1:]]


def _result(found: Measurement, card: Card, tasks: Sequence[str]) -> EvalResult:
    from huggingface_hub import EvalResult

    known = card.datasets[found.digest].name if found.digest in card.datasets else ""
    name, _, part = known.partition(":")
    return EvalResult(
        task_type=next(iter(tasks), "other"),
        dataset_type=name or re.sub(r"[^a-z0-9]+", "-", found.data.lower()).strip("-"),
        dataset_split=part or None,
        dataset_name=found.data,
        metric_type=found.metric,
        metric_name=f"{found.metric} [{found.unit}]" if found.unit else found.metric,
        metric_value=round(found.value, 4),
    )


def split(text: str) -> tuple[dict[str, Any], str]:
    """A card's front matter, its tags as a list, and what follows it.

    Raises:
        OutputError: If the front matter is no YAML, no mapping, or holds what cannot be written again.
    """
    import_client()
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    block = REGEX_YAML_BLOCK.search(text)
    if block is None:
        return {}, text
    try:
        found = _parsed(block.group(2))
        if not isinstance(found, dict):
            raise ValueError("it is not a list of fields")
        _check(found, "it")
        found["tags"] = _listed(found.get("tags"))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
        raise OutputError(f"the card's front matter cannot be read: {reason}", hint="mend it, or give -o") from None
    if not found["tags"]:
        del found["tags"]
    return found, text[block.end() :]


def _parsed(text: str) -> Any:
    """What YAML says; its own reader of safe types raises many kinds of error where a date, say, is none."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):  # a few of them can stand for more than memory holds
                raise ValueError("it refers to itself by an alias")
            return super().compose_node(parent, index)

    if len(text) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} letters")
    try:
        return yaml.load(text, Loader) or {}  # noqa: S506 - a safe loader, and less
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {error}") from None
    except (TypeError, AttributeError, LookupError, OverflowError) as error:
        raise ValueError(f"a value in it is not what it looks like: {error}") from None


def _check(value: Any, place: str) -> None:
    """Holds that a value can be written again, as YAML and as JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"a field of {place} is called {str(key)[:80]}, which is not a text")
            _check(key, place)
            _check(item, repr(key[:80]))
    elif isinstance(value, list):
        for item in value:
            _check(item, place)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{place} is not finite")
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ValueError(f"{place} is a number too large")
    elif value is not None and not isinstance(value, bool | int | float | datetime.date):
        raise ValueError(f"{place} is a {type(value).__name__}, which no card can have")


def _listed(tags: Any) -> list[str]:
    if isinstance(tags, str | int | float):
        return [str(tags)]
    if not isinstance(tags, list | None) or not all(isinstance(tag, str | int | float) for tag in tags or ()):
        raise ValueError("'tags' is not a list of words")
    return [str(tag) for tag in tags or ()]


def pipeline_tags(facts: Facts) -> list[str]:
    """What the Hub calls the tasks of such a model, its generator's first; none where it has no word for them."""
    tags = {
        "image-to-image": isinstance(facts.generator, ImageGeneratorFacts),
        "unconditional-image-generation": isinstance(facts.generator, LatentGeneratorFacts),
        "image-classification": bool(read_codes(facts)),
        "image-feature-extraction": facts.encoder is not None,
    }
    return [tag for tag, fits in tags.items() if fits]


_NAMES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0
cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0
cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0
lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail osl-3.0 pddl postgresql unlicense wtfpl zlib
"""

KNOWN = frozenset(_NAMES.split())
"""Identifiers that a card may have as its ``license`` and that are licences of SPDX or a family of such, from
https://huggingface.co/docs/hub/repositories-licenses (2025). All others are ``other`` with a name."""

_FAMILY = re.compile(r"^(a?gpl|lgpl)-(\d\.\d)-(only|or-later)$")


def hub_licence(spdx: str) -> dict[str, str]:
    """An SPDX expression as the ``license`` of a card, with a ``license_name`` where the Hub has no name for it."""
    if not spdx:
        return {"license": "unknown"}
    name = spdx.strip().lower()
    if family := _FAMILY.match(name):
        name = f"{family[1]}-{family[2]}"
    if name in KNOWN:
        return {"license": name}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.+]+", "-", spdx.lower()).strip("-")}
