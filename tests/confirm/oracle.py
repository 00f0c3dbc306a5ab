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
    def holdout_errors(self):
        return [_errors(s, "holdout_predictions", "holdout_labels") for s in self.splits]

    @property
    def inner_errors(self):
        return [_errors(s, "predictions", "val_labels") for s in self.splits]


def _errors(split, answers, labels):
    return int((bits(split[answers], 1791) != bits(split[labels], 1791)).sum())


@dataclass(frozen=True, eq=False)
class Evidence:
    """Two studies' rows."""

    a: Half
    b: Half

    @classmethod
    def of(cls, path, *names):
        return cls(*(Half.of(path, name) for name in names))

    @property
    def difference(self):
        return (np.array(self.a.holdout_errors) - np.array(self.b.holdout_errors)) / 1791

    @property
    def raw_counts(self):
        """How many images only A's best gets wrong, and only B's."""
        return _discordant(self.a.wrong(self.a.best), self.b.wrong(self.b.best))

    @property
    def replicate_counts(self):
        kind = "final_predictions"
        pairs = zip(self.a.of_best, self.b.of_best, strict=True)
        return [_discordant(self.a.wrong(x, kind), self.b.wrong(y, kind)) for x, y in pairs]


def _discordant(wrong_a, wrong_b):
    return int((wrong_a & ~wrong_b).sum()), int((wrong_b & ~wrong_a).sum())


def wilson(k, n):
    """The two roots of (p − θ)² = z²·θ(1 − θ)/n."""
    z2, p = stats.norm.ppf(0.975) ** 2, k / n
    return tuple(sorted(np.roots([1 + z2 / n, -(2 * p + z2 / n), p * p]).real))


def nadeau_bengio(x):
    """Mean ± t·√((1/J + n_test/n_train)·s²) over J splits of 8,209 and 1,791 images."""
    x = np.asarray(x)
    half = stats.t.ppf(0.975, len(x) - 1) * math.sqrt((1 / len(x) + 1791 / 8209) * x.var(ddof=1))
    return x.mean() - half, x.mean() + half


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
