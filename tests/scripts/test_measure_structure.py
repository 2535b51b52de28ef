"""No class name occurs twice, and the script that counts names and lines counts them right."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "measure_structure.py"


def load():
    spec = importlib.util.spec_from_file_location("measure_structure", SCRIPT)
    module = sys.modules["measure_structure"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_class_of_the_core_and_the_plugins_has_the_name_of_another():
    names = load().class_names([ROOT / "gansdk", *(ROOT / "plugins").glob("*/src")])
    assert len(names) > 200
    assert sorted(name for name, count in names.items() if count > 1) == []


def test_names_that_occur_twice_are_found(tmp_path):
    (tmp_path / "a.py").write_text("class Twice:\n    pass\n\n\nclass Once:\n    class Twice:\n        pass\n")
    (tmp_path / "b.py").write_text("class Twice:\n    pass\n")
    assert load().class_names([tmp_path]) == {"Twice": 2, "Once": 1}


def test_lines_of_logic_are_those_that_are_neither_imports_nor_texts_nor_blank():
    source = '"""A text\nof two lines."""\n\nimport a\nfrom b import (\n    c,\n)\n\n# why\nx = (\n    1\n)\n\n\n'
    source += 'def f():\n    """Text."""\n    return x\n'
    assert load().logic_lines(source) == 5
