"""What a model is, as data: its facts, its facets and its folder. Nothing here imports torch."""
