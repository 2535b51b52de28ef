import dataclasses
import json

import pytest
from adversary import METHOD, write_images

from gansdk.models import runtime
from gansdk.training import trainer


@pytest.mark.parametrize(
    ("mixed", "asked", "taken"),
    [(True, "auto", "bf16"), (False, "auto", "fp32"), (False, "bf16", "bf16"), (True, "fp32", "fp32")],
)
def test_auto_is_bf16_where_hardware_has_it_and_the_config_gains_by_it(tmp_path, monkeypatch, mixed, asked, taken):
    monkeypatch.setattr(runtime, "has_native", lambda _device, precision: precision == "bf16")
    configs = {name: dataclasses.replace(config, mixed=mixed) for name, config in METHOD.configs.items()}
    method = dataclasses.replace(METHOD, configs=configs)
    data = {"photos": str(write_images(tmp_path / "photos"))}
    trainer.train(method, "small", tmp_path / "run", data=data, options={"steps": 1}, device="cpu", precision=asked)
    assert json.loads((tmp_path / "run" / "train.json").read_text())["precision"] == taken
