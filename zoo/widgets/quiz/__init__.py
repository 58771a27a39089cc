"""Widgets of Real or fake: pictures to answer in the browser, and the judges beside the visitor."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import quiz
from zoo.analysis.conditions import labels_for
from zoo.entries import Entry, catalog
from zoo.widgets.components import component, reserve
from zoo.widgets.listing import entries
from zoo.widgets.loading import cached, dataset, samples
from zoo.widgets.safety import plain
from zoo.widgets.tiles import image_grid

REFERENCE = 300  # other test images, whose scores set the bar of a machine
CLASSIFIER = "Classifier"


@dataclass(frozen=True)
class Round:
    """Pictures (N, H, W, C) as they are shown, where each is from (N,), and further real ones (M, H, W, C)."""

    pictures: np.ndarray
    source: np.ndarray
    others: np.ndarray


@cached(max_entries=16)
def drawn(name: str, generators: list[Entry], seed: int) -> Round:
    """Return the round of a dataset, generators and a seed: the same for everybody."""
    least = min(generators, key=lambda entry: (entry.shape[0] * entry.shape[1], entry.shape[2]))
    shape, pool = least.shape, dataset(name, "test")
    source, row = quiz.mix(len(generators), len(pool.images), seed)
    left = np.setdiff1d(np.arange(len(pool.images)), row[source == 0])
    order = np.random.default_rng([seed, 1]).permutation(left)[: models.affordable(least, REFERENCE)]
    others = images.fit(pool.images[order], shape)[0]
    pictures = np.empty((len(source), *shape), np.float32)
    pictures[source == 0] = images.fit(pool.images[row[source == 0]], shape)[0]
    for number, entry in enumerate(generators, 1):
        if count := int((source == number).sum()):
            pictures[source == number] = images.fit(samples(entry, count, seed).images, shape)[0]
    return Round(quiz.disguised(pictures, others), source, quiz.disguised(others, others))


def answered(made: Round, key: str) -> np.ndarray | None:
    """Draw the pictures one by one, to be answered by buttons or keys; return the answers (N,) after the last one.

    Until then the server hears nothing, and it never writes them down: they live as long as this page is open.
    """
    pixels = images.to_uint8(made.pictures)
    sheet = images.png(images.strip([pixels], scale=1, gap=0))
    data = {
        "sheet": f"data:image/png;base64,{base64.b64encode(sheet).decode()}",
        "count": len(pixels),
        "height": pixels.shape[1],
        "width": pixels.shape[2],
    }
    data["id"] = hashlib.sha1(repr(data).encode()).hexdigest()
    place = f"{key}-{data['id'][:12]}"
    reserve(place, "min-height: 33rem;")
    found = component("quiz/quiz", '<div class="quiz"></div>', "drawn")(
        key=place, data=data, default={"answers": None}, on_answers_change=_heard
    )
    return understood(found.answers, len(pixels))


def _heard() -> None:
    """Let the fragment run again; the answers are read from the component."""


def understood(answers: object, count: int) -> np.ndarray | None:
    """Return a list of `count` times 0 or 1 as bool (count,), None for anything that is not from our component."""
    if not isinstance(answers, list) or len(answers) != count or any(a not in (0, 1) for a in answers):
        return None
    return np.array(answers, bool)


@cached(max_entries=32)
def classifier_says(classifier: Entry, pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which pictures (N, H, W, C) a classifier takes for real: those whose highest class probability is at least
    what 95 % of the other real pictures (M, H, W, C) reach."""
    sure = [models.classify(classifier, images.fit(p, classifier.shape)[0])[0].max(1) for p in (pictures, others)]
    return quiz.verdicts(*sure)


@cached(max_entries=32)
def discriminator_says(entry: Entry, classifier: Entry | None, pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which pictures (N, H, W, C) an entry's discriminator takes for real, by the same rule on its scores; a
    conditional one is told the class that the classifier sees."""
    scores = []
    for part in (pictures, others):
        fitted = images.fit(part, entry.shape)[0]
        scores.append(models.judge(entry, fitted, labels_for(entry, fitted, classifier=classifier)[0]))
    return quiz.verdicts(*scores)


def judges(made: Round, generators: Sequence[Entry]) -> dict[str, np.ndarray]:
    """Return the verdicts of the dataset's classifier and of every discriminator among the entries."""
    classifier, found = catalog.classifier_for(generators[0], entries()), {}
    if classifier is not None:
        found[CLASSIFIER] = classifier_says(classifier, made.pictures, made.others)
    for entry in generators:
        if "judge" in entry.capabilities:
            found[f"D of {entry.id}"] = discriminator_says(entry, classifier, made.pictures, made.others)
    return found


def wall(made: Round, said: np.ndarray, generators: Sequence[Entry]) -> None:
    """Show all pictures by where they are from, each with the answer that it got."""
    for number, title in enumerate(["Real images", *(entry.label for entry in generators)]):
        chosen = np.flatnonzero(made.source == number)
        if not len(chosen):
            continue
        answers = [f"{'✓' if said[i] == (number == 0) else '✗'} {'real' if said[i] else 'fake'}" for i in chosen]
        st.markdown(f"**{plain(title)}**")
        alts = [f"{title}, called {answer[2:]}" for answer in answers]
        image_grid(made.pictures[chosen], answers, alts=alts, key=f"quiz-wall-{number}", size=80)
