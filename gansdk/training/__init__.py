"""Players and turns, the loop, checkpoints and run folders."""
