"""gansdk: one vocabulary over the GAN family.

    import gansdk

    sharpen = gansdk.pipeline("superres")
    sharpen("photo.jpg").save("photo-large.png")

Every name below is public and stays; nothing else is. Importing this package imports neither torch nor a network:
a name is looked up where it lives when it is first used.
"""

from __future__ import annotations

import lazy_loader

from gansdk._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
