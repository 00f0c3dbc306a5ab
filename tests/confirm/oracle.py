"""Every number of a comparison from the SQLite file alone, by formulas of its own.

It shares no code with the package: SQL, base64, NumPy, and SciPy's distributions.
"""

import base64
import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tests.helpers import sql


def bits(text, n):
    """Base64 of eight bits a byte, the first in the highest → (n,) bool."""
    data = base64.b64decode(text)
    return np.array([bool(byte >> (7 - place) & 1) for byte in data for place in range(8)])[:n]


@dataclass(frozen=True, eq=False)
class Half:
    """One study's rows."""

    manifest: dict
    complete: list  # the trials of its search that were trained to the end
    replicates: list
    splits: list

    @classmethod
    def of(cls, path, name):
        found = [t for t in sql.trials(path, name) if t["state"] == "COMPLETE"]
        rest = (sql.trials(path, name + part) for part in ("/replicates", "/splits"))
        return cls(sql.manifest(path, name), found, *rest)

    @property
    def best(self):
        return min(self.complete, key=lambda t: (t["val_errors"], t["val_loss"], t["number"]))

    @property
    def n(self):
        return self.best["n_val"]

    @property
    def labels(self):
        return bits(self.replicates[0]["val_labels"], self.n)

    @property
    def of_best(self):
        """The replicates of the best trial, by seed."""
        found = [r for r in self.replicates if r["finalist"] == self.best["number"]]
        return sorted(found, key=lambda r: r["replicate"])

    def wrong(self, trial, kind="predictions"):
        return bits(trial[kind], self.n) != self.labels

    @property
    def final_errors(self):
        return [int(self.wrong(r, "final_predictions").sum()) for r in self.of_best]

    @property
    def best_errors(self):
        return [int(self.wrong(r).sum()) for r in self.of_best]

    @property
    def holdout_wrong(self):
        """Which held-out images each split's best trial gets wrong."""
        return [_wrong(s, s, "holdout") for s in self.splits]

    @property
    def simplest_wrong(self):
        """The same of each split's simplest trial."""
        return [_wrong(s, s["simplest"], "holdout") for s in self.splits]

    @property
    def holdout_errors(self):
        return [int(wrong.sum()) for wrong in self.holdout_wrong]

    @property
    def inner_errors(self):
        return [int(_wrong(s, s, "val").sum()) for s in self.splits]

    @property
    def sizes(self):
        """Images that train, and all of them, in the first split."""
        first = self.splits[0]
        return first["n_fit"], first["n_fit"] + first["n_val"] + first["n_holdout"]


def _wrong(split, trial, part):
    n = split[f"n_{part}"]
    answers = trial["holdout_predictions" if part == "holdout" else "predictions"]
    return bits(answers, n) != bits(split[f"{part}_labels"], n)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Two studies' rows."""

    a: Half
    b: Half

    @classmethod
    def of(cls, path, *names):
        return cls(*(Half.of(path, name) for name in names))

    @property
    def differences(self):
        """−1, 0 or 1 for each held-out image, an array a split."""
        pairs = zip(self.a.holdout_wrong, self.b.holdout_wrong, strict=True)
        return [a.astype(float) - b for a, b in pairs]

    @property
    def raw_counts(self):
        """How many images only A's best gets wrong, and only B's."""
        return _discordant(self.a.wrong(self.a.best), self.b.wrong(self.b.best))

    @property
    def replicate_counts(self):
        pairs = zip(self.a.of_best, self.b.of_best, strict=True)
        return [_discordant(self.a.wrong(x), self.b.wrong(y)) for x, y in pairs]


def _discordant(wrong_a, wrong_b):
    return int((wrong_a & ~wrong_b).sum()), int((wrong_b & ~wrong_a).sum())


def wilson(k, n):
    """The two roots of (p − θ)² = z²·θ(1 − θ)/n."""
    z2, p = stats.norm.ppf(0.975) ** 2, k / n
    return tuple(sorted(np.roots([1 + z2 / n, -(2 * p + z2 / n), p * p]).real))


def held_out(parts, n_train, n_total):
    """(mean, standard error, degrees of freedom) of a value for each held-out image.

    s²·(1/n + 1/n_train − 1/n_total) for the images, and for the searches what the J means vary
    by beyond s²/n_J, over J; Welch and Satterthwaite's degrees of freedom.
    """
    x, means, count = np.concatenate(parts), np.array([p.mean() for p in parts]), len(parts)
    within = ((x - x.mean()) ** 2).sum() / (len(x) - 1)
    images = within * (1 / len(x) + 1 / n_train - 1 / n_total)
    of_means = ((means - means.mean()) ** 2).sum() / (count - 1) / count
    chance = within * np.mean([1 / len(p) for p in parts]) / count
    extra = max(of_means - chance, 0)
    variance = images + extra
    df = variance**2 / (images**2 / (len(x) - 1) + of_means**2 / (count - 1))
    return x.mean(), math.sqrt(variance), df


def ends(mean, se, df, level=0.95):
    """Mean ± t·se."""
    half = stats.t.ppf((1 + level) / 2, df) * se
    return mean - half, mean + half


def mid_p(b, c):
    """2·P(Bin < k) + P(Bin = k), k the lower count; half of it where the counts are equal."""
    k, n = min(b, c), b + c
    pmf = [math.comb(n, i) / 2**n for i in range(k + 1)]
    return 2 * sum(pmf[:k]) + pmf[k] if b != c else 1 - pmf[k] / 2


def newcombe(wrong_a, wrong_b):
    """Newcombe's method 10, from the four cells of the table."""
    n = len(wrong_a)
    e, h = int((wrong_a & wrong_b).sum()), int((~wrong_a & ~wrong_b).sum())
    f, g = _discordant(wrong_a, wrong_b)
    (l2, u2), (l3, u3), p2, p3 = wilson(e + f, n), wilson(e + g, n), (e + f) / n, (e + g) / n
    q = e * h - f * g
    q = max(q - n / 2, 0) if q > 0 else q
    phi = q / math.sqrt((e + f) * (g + h) * (e + g) * (f + h))
    below = (p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u3 - p3) + (u3 - p3) ** 2
    above = (p3 - l3) ** 2 - 2 * phi * (p3 - l3) * (u2 - p2) + (u2 - p2) ** 2
    return p2 - p3 - math.sqrt(below), p2 - p3 + math.sqrt(above)


def resampled(values, statistic):
    """The statistic of every one of the n^n bootstrap samples, sorted."""
    samples = np.array(list(itertools.product(values, repeat=len(values))), float)
    return np.sort(statistic(samples))


def iqm(samples):
    """The mean without ⌊n/4⌋ values at either end, along the last axis."""
    cut = np.shape(samples)[-1] // 4
    return np.sort(samples)[..., cut : np.shape(samples)[-1] - cut].mean(-1)


def outperforming(finals_a, finals_b):
    """P(B errs less) and its percentile interval, by enumerating all bootstrap samples."""
    wins = np.array([(b < a) + (a == b) / 2 for a, b in zip(finals_a, finals_b, strict=True)])
    if len(set(wins)) == 1:  # no width: the Wilson end of n in n
        z2, n = stats.norm.ppf(0.975) ** 2, len(wins)
        low = n / (n + z2)
        return wins[0], low * wins[0], low * wins[0] + 1 - low
    means = resampled(wins, lambda samples: samples.mean(1))
    place = math.ceil(0.025 * len(means))
    return wins.mean(), means[place - 1], means[-place]


def recommended(trials, n):
    """Level with the best, fewest hidden units, middle learning rate, fewer errors, earlier."""
    lowest = min(t["val_errors"] for t in trials)
    limit = lowest + math.sqrt(lowest * (n - lowest) / n)
    level = [t for t in trials if t["val_errors"] <= limit]
    sizes = [t["parameters"].get("hidden_units") or 0 for t in level]
    level = [t for t, size in zip(level, sizes, strict=True) if size == min(sizes)]
    rates = [math.log(t["parameters"]["learning_rate"]) for t in level]
    middle = (min(rates) + max(rates)) / 2

    def order(trial):
        off = abs(math.log(trial["parameters"]["learning_rate"]) - middle)
        return round(off, 9), trial["val_errors"], trial["number"]

    return min(level, key=order)


def bias_corrected(wrong, seed=12345, rounds=1000):
    """Choose on a bootstrap sample of the images, score on those left out; the mean."""
    rng, n = np.random.default_rng(seed), len(wrong)
    wrong = np.unique(wrong, axis=1)  # a configuration that repeats counts once
    scores = []
    for _ in range(rounds):
        drawn = rng.integers(n, size=n)
        left = np.setdiff1d(np.arange(n), drawn)
        errors = wrong[drawn].sum(0)
        scores.append(wrong[left][:, errors == errors.min()].mean())
    return float(np.mean(scores))
