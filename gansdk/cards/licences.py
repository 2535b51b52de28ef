"""Licences as the Hub names them."""

from __future__ import annotations

import re

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
    """A licence for a card's front matter.

    Args:
        spdx: An SPDX expression; empty where none is stated.

    Returns:
        ``license``, and ``license_name`` where the Hub has no name of its own for it.
    """
    if not spdx:
        return {"license": "unknown"}
    name = spdx.strip().lower()
    family = _FAMILY.match(name)
    if family is not None:
        name = f"{family[1]}-{family[2]}"
    if name in KNOWN:
        return {"license": name}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.+]+", "-", spdx.lower()).strip("-")}
