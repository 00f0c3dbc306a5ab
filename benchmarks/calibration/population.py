"""Images with their chances of an error, as two models' replicates showed them.

Letters: n kinds of image, one for each validation image of the reference study; M images judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Effects:
    """What moves the true difference of two models from search to search, beside the images."""

    tau: float  # SD between training sets of N_FIT images, a fraction
    sigma: float  # SD between seeds and validation images of one training set, a fraction


@dataclass(frozen=True, eq=False)
class Population:
    """What two models do on each kind of image, and how far apart searches are.

    Images of one kind in three thousand are as hard as those of the reference study where
    ``share`` is 1; else only this share of all images is drawn from them, and no model errs on the
    others. So both errors, and all differences, are this share of the reference study's.
    """

    discordant: np.ndarray  # (n,) chance that exactly one of the models errs
    persistent: np.ndarray  # (n,) of that, the part that falls on one model alone, every time
    both: np.ndarray  # (n,) chance that both err
    effects: Effects
    share: float = 1.0

    @classmethod
    def of_pair(cls, a: np.ndarray, b: np.ndarray, effects: Effects, share: float = 1.0):
        """Two models, from (R, n) booleans each: which images a replicate errs on."""
        only_a, only_b = (a & ~b).mean(0), (b & ~a).mean(0)
        discordant = only_a + only_b
        persistent = np.divide(
            abs(only_a - only_b), discordant, out=np.zeros_like(discordant), where=discordant > 0
        )
        return cls(discordant, persistent, (a & b).mean(0), effects, share)

    @classmethod
    def of_one(cls, wrong: np.ndarray, effects: Effects):
        """A model against itself: two replicates, drawn from (R, n) booleans."""
        rate, replicates = wrong.mean(0), len(wrong)
        discordant = 2 * rate * (1 - rate) * replicates / (replicates - 1)  # unbiased
        return cls(discordant, np.zeros_like(rate), rate - discordant / 2, effects)

    @property
    def disagreement(self) -> float:
        """The share of all images on which exactly one model errs."""
        return float(self.discordant.mean()) * self.share

    @property
    def error(self) -> float:
        """The mean of both models' errors, a fraction."""
        return float(self.both.mean()) * self.share + self.disagreement / 2

    def images(self, n: int, random: np.random.Generator) -> Images:
        """A data set of n images, each drawn by itself."""
        kinds = random.integers(len(self.discordant), size=n)
        if self.share < 1:
            kinds[random.random(n) >= self.share] = -1
        return Images(self, kinds, random.random(n))


@dataclass(frozen=True, eq=False)
class Images:
    """A data set: the kind of each image (−1: no model errs on it), and which side it favours."""

    population: Population
    kinds: np.ndarray  # (N,)
    side: np.ndarray  # (N,) uniform; an image below another errs sooner with A

    def judged(self, places: np.ndarray, random: np.random.Generator) -> Judged:
        """What two fresh models do on the images at these places, (M,)."""
        of = self.population
        hard = np.flatnonzero(self.kinds[places] >= 0)
        kinds = self.kinds[places[hard]]
        chance, discordant = random.random(len(hard)), of.discordant[kinds]
        wrong = chance < discordant
        both = (chance >= discordant) & (chance < discordant + of.both[kinds])
        where = hard[wrong]
        again = random.random(len(where)) < of.persistent[kinds[wrong]]
        side = np.where(again, self.side[places[where]], random.random(len(where)))
        return Judged(len(places), where, side, int(both.sum()), of.disagreement)


@dataclass(frozen=True, eq=False)
class Judged:
    """The images on which exactly one of two models errs; which one depends on how they differ.

    For a true difference d of the models, A errs where ``side`` is under (1 + d/D)/2, with D the
    disagreement of the population; elsewhere B errs. As sides are uniform, A − B is d on average.
    """

    n: int
    where: np.ndarray  # places among the n images
    side: np.ndarray  # as many, uniform
    both: int  # images on which both err
    disagreement: float

    def values(self, difference: float) -> np.ndarray:
        """(n,) 1 where only A errs, −1 where only B does, else 0."""
        found = np.zeros(self.n)
        is_a = self.side < (1 + difference / self.disagreement) / 2
        found[self.where] = np.where(is_a, 1, -1)
        return found
