import adversary
import pytest
import torch
from trainings import state, train

from gansdk.errors import TrainingError
from gansdk.training import trainer
from gansdk.training.callbacks import DivergenceMonitor
from gansdk.training.options import TrainingOptions
from gansdk.training.players import AdversarialPair, Player

JUDGE = Player("discriminator", torch.nn.Linear(1, 1), torch.optim.SGD)
MAKER = Player("generator", torch.nn.Linear(1, 1), torch.optim.SGD)
LIMITS = TrainingOptions(won_steps=6, won_margin=10)


def monitor(limits=LIMITS, logits="logits"):
    return DivergenceMonitor([AdversarialPair("generator", "discriminator", logits)], limits, 0)


def play(watched, leads, start=0):
    """One step for each lead, a check after every second one."""
    for step, lead in enumerate(leads, start + 1):
        real, made = [torch.tensor([8.0, 5.0]), torch.tensor([[9.0]])], torch.tensor([5.0 - lead, -90.0])
        watched.see([JUDGE], {"real": real, "fake": made})
        if step % 2 == 0:
            watched.check(step)


def test_a_judge_that_leads_by_far_for_long_ends_the_contest():
    watched = monitor()
    play(watched, [3, 3, 12, 11, 14, 20])
    with pytest.raises(TrainingError) as caught:
        play(watched, [12, 12], start=6)
    said = str(caught.value)
    assert "'discriminator' has won against 'generator': from step 2 to 8" in said
    assert "by 11 or more (limit 10)" in said
    assert "won_steps=0" in caught.value.hint


@pytest.mark.parametrize(
    "leads",
    [[12] * 5 + [9] + [12] * 5, [9.9] * 30, [-3] * 30],  # once less; never enough; the usual overlap
    ids=["once less", "not enough", "overlap"],
)
def test_a_contest_that_is_open_goes_on(leads):
    play(monitor(), leads)


@pytest.mark.parametrize("watched", [monitor(TrainingOptions(won_steps=0)), monitor(logits="scores")])
def test_nobody_looks_where_it_is_switched_off_or_verdicts_have_no_scale(watched):
    play(watched, [1000] * 20)


def test_turns_of_the_maker_say_nothing_about_the_judge():
    watched = monitor(TrainingOptions(won_steps=1))
    watched.see([MAKER], {"real": torch.tensor([50.0]), "fake": torch.tensor([-50.0])})
    watched.see([JUDGE], {"fake": torch.tensor([-50.0])})
    watched.check(10)


def test_a_discriminator_that_has_won_stops_the_run_and_the_checkpoint_stays(tmp_path, photos):
    method = adversary.method("Lopsided")
    with pytest.raises(TrainingError, match=r"'discriminator' has won against 'generator': from step 0 to 4"):
        train(tmp_path / "run", photos, method=method, won_steps=3)
    assert state(tmp_path / "run")[1]["step"] == 2
    finished = trainer.resume(tmp_path / "run", methods={"tiny": method}, won_steps=0)
    assert finished.steps == 6
