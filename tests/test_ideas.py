"""The gallery's groups: every entry hangs once, in colour first."""

from zoo.analysis import ideas
from zoo.entries import catalog


def test_every_embedded_entry_hangs_once_and_colour_comes_first():
    entries = catalog.entries([catalog.EMBEDDED])
    groups = ideas.grouped(entries)
    hung = [entry.id for members in groups.values() for entry in members]
    assert sorted(hung) == sorted(entry.id for entry in entries)
    for members in groups.values():
        grey = [entry.shape[2] == 1 for entry in members]
        assert grey == sorted(grey)
    assert hung[0].startswith("photographs")
    assert list(groups)[-1] == ideas.CLASSIFIER


def test_what_an_entry_can_do_tells_its_idea():
    wanted = {
        "mnist-vae": ideas.VARIATIONAL, "mnist-dcgan": ideas.ADVERSARIAL, "mnist-cvae": ideas.CONDITIONAL,
        "mnist-vqvae": ideas.DISCRETE, "mnist-ae": ideas.PLAIN, "mnist-classifier": ideas.CLASSIFIER,
    }  # fmt: skip
    for name, idea in wanted.items():
        entry = catalog.find(name, [catalog.EMBEDDED])
        assert entry is not None and ideas.idea(entry) == idea
