"""What plugins hand over, how they are found, and the registry that results. Nothing here imports torch."""
