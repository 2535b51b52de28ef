import subprocess
import sys

import gansdk.testing


def test_the_public_names_are_sorted_and_all_there():
    assert gansdk.testing.__all__ == sorted(gansdk.testing.__all__)
    assert all(getattr(gansdk.testing, name) is not None for name in gansdk.testing.__all__)
    assert dir(gansdk.testing) == gansdk.testing.__all__


def test_importing_the_room_imports_neither_torch_nor_pytest():
    code = "import sys, gansdk.testing, gansdk.testing.kit; sys.exit(bool({'torch', 'pytest'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
