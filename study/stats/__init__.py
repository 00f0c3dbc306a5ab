"""The statistics of the comparison, as pure functions of arrays.

Errors are counts (``errors`` of ``n`` images) or fractions, as each function says; lower
is better everywhere. Model A always comes first, so a difference is A − B and swapping
the models mirrors every answer. Randomness is a required keyword, ``seed``.

========================================  ==========================================
one error rate, and targets for it        :func:`wilson`, :func:`allowed_errors`
two models on the same images             :func:`paired_counts`, :func:`mcnemar`,
                                          :func:`newcombe`
one configuration on fresh seeds          :func:`summarise`, :func:`probability_of_outperforming`
what a search found                       :func:`expected_best`, :func:`time_to_target`,
                                          :func:`bootstrap_bias_correction`
whole searches on resampled splits        :func:`nadeau_bengio`
which trial to trust, which range to try  :func:`level_with_best`, :func:`recommend`,
                                          :func:`diagnose`
all of it in two words                    :func:`verdict`
========================================  ==========================================
"""

from study.stats.choosing import Diagnosis, diagnose, edge, level_with_best, recommend
from study.stats.deciding import Outcome, Verdict, verdict
from study.stats.intervals import Interval, TargetRule, allowed_errors, target_met, wilson
from study.stats.pairing import McNemar, PairedCounts, mcnemar, newcombe, paired_counts
from study.stats.replicating import (
    Outperforming,
    Summary,
    pairs_needed,
    probability_of_outperforming,
    share_of_wins,
    summarise,
)
from study.stats.searching import (
    BiasCorrected,
    CorrectedMean,
    TimeToTarget,
    bootstrap_bias_correction,
    expected_best,
    nadeau_bengio,
    time_to_target,
)

__all__ = [
    "BiasCorrected",
    "CorrectedMean",
    "Diagnosis",
    "Interval",
    "McNemar",
    "Outcome",
    "Outperforming",
    "PairedCounts",
    "Summary",
    "TargetRule",
    "TimeToTarget",
    "Verdict",
    "allowed_errors",
    "bootstrap_bias_correction",
    "diagnose",
    "edge",
    "expected_best",
    "level_with_best",
    "mcnemar",
    "nadeau_bengio",
    "newcombe",
    "paired_counts",
    "pairs_needed",
    "probability_of_outperforming",
    "recommend",
    "share_of_wins",
    "summarise",
    "target_met",
    "time_to_target",
    "verdict",
    "wilson",
]
