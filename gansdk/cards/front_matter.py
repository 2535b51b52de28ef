"""A card's front matter: what the Hub reads. Made by the Hub's own client, without a connection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gansdk.cards.licences import hub_licence
from gansdk.errors import OutputError
from gansdk.evaluation.latents.codes import read_codes
from gansdk.evaluation.restoration.trials import PREFIX
from gansdk.hub.access import import_client
from gansdk.model.facts import ImageGeneratorFacts, LatentGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huggingface_hub import EvalResult

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Measurement
    from gansdk.model.facts import Facts

_OURS = ("library_name", "pipeline_tag", "license", "license_name", "model-index")


def front_matter(card: Card, before: Mapping[str, Any] | None = None) -> str:
    """The YAML between a card's first two lines of dashes.

    Args:
        card: The model.
        before: What stood there: an author's own fields and tags stay.
    """
    import_client()
    from huggingface_hub import ModelCardData

    theirs = {key: value for key, value in (before or {}).items() if key not in _OURS}
    tags = theirs.pop("tags", None)
    tags = [tags] if isinstance(tags, str) else list(tags or ())
    tasks = pipeline_tags(card.config.facts)
    measured = [one for one in card.evaluation.measurements if not one.seen and not one.data.startswith(PREFIX)]
    results = [_result(one, card, tasks) for one in measured]
    fields: dict[str, Any] = {**hub_licence(card.config.licence), **theirs}
    data = ModelCardData(
        library_name="gansdk",
        pipeline_tag=next(iter(tasks), None),
        tags=list(dict.fromkeys([*tags, *_tags(card)])),
        model_name=card.name if results else None,
        eval_results=results or None,
        **fields,
    )
    return str(data.to_yaml(original_order=list(before or ())))


def authors_fields(card: Card, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Of a card's front matter what its author wrote: fields that are not made here, and tags beyond those made."""
    found = {key: value for key, value in fields.items() if key not in _OURS}
    tags = found.pop("tags", None)
    own = [tag for tag in ([tags] if isinstance(tags, str) else tags or ()) if tag not in _tags(card)]
    return {**found, "tags": own} if own else found


def _tags(card: Card) -> list[str]:
    return ["gansdk", card.config.method, *(one.name for one in card.tasks), *pipeline_tags(card.config.facts)[1:]]


def _result(one: Measurement, card: Card, tasks: Sequence[str]) -> EvalResult:
    from huggingface_hub import EvalResult

    known = card.datasets[one.digest].name if one.digest in card.datasets else ""
    name, _, part = known.partition(":")
    return EvalResult(
        task_type=next(iter(tasks), "other"),
        dataset_type=name or re.sub(r"[^a-z0-9]+", "-", one.data.lower()).strip("-"),
        dataset_split=part or None,
        dataset_name=one.data,
        metric_type=one.metric,
        metric_name=f"{one.metric} [{one.unit}]" if one.unit else one.metric,
        metric_value=round(one.value, 4),
    )


def split(text: str) -> tuple[dict[str, Any], str]:
    """A card's front matter and what follows it.

    Raises:
        OutputError: If the front matter is no YAML, or no mapping.
    """
    import_client()
    import yaml
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    block = REGEX_YAML_BLOCK.search(text)
    if block is None:
        return {}, text
    try:
        found = yaml.safe_load(block.group(2))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise OutputError(f"the card's front matter is no YAML: {reason}", hint="mend it, or give -o") from None
    if found is not None and not isinstance(found, dict):
        raise OutputError("the card's front matter is no list of fields", hint="mend it, or give -o")
    return found or {}, text[block.end() :]


def pipeline_tags(facts: Facts) -> list[str]:
    """What the Hub calls the tasks of such a model, its generator's first; none where it has no word for them."""
    tags = []
    if isinstance(facts.generator, ImageGeneratorFacts):
        tags += ["image-to-image"]
    if isinstance(facts.generator, LatentGeneratorFacts):
        tags += ["unconditional-image-generation"]
    if read_codes(facts):
        tags += ["image-classification"]
    if facts.encoder is not None:
        tags += ["image-feature-extraction"]
    return tags
