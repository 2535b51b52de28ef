"""The one place where gansdk's version stands."""

__version__ = "0.1.0"
