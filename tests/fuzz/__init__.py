"""What strangers send, broken at random: every reader ends in a result or in one line, soon and without much memory.

``targets.py`` names the readers and makes their inputs in code, ``mutation.py`` breaks them by seed, ``runner.py``
runs one target in a process of its own:

    PYTHONPATH=tests:tests/support python -m fuzz.runner TARGET --seed 7 --case 1234 -v
"""
