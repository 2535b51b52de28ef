import subprocess
import sys

import gansdk.training


def test_the_public_names_are_sorted_and_all_there():
    assert gansdk.training.__all__ == sorted(gansdk.training.__all__)
    assert all(getattr(gansdk.training, name) is not None for name in gansdk.training.__all__)
    assert dir(gansdk.training) == gansdk.training.__all__


def test_importing_the_room_imports_no_torch():
    code = "import sys, gansdk.training; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
