"""The statistics of the comparison, as pure functions of arrays.

Errors are counts (``errors`` of ``n`` images) or fractions, as each function says; lower
is better everywhere. Model A always comes first, so a difference is A − B and swapping
the models mirrors every answer. Randomness is a required keyword, ``seed``. A caller's
mistake is a ``ValueError``.

========================================  ==========================================
one error rate, and targets for it        :func:`wilson`, :func:`allowed_errors`
two models on the same images             :func:`paired_counts`, :func:`mcnemar`,
                                          :func:`newcombe`
what probabilities are worth              :func:`roc_auc`, :func:`brier`
one configuration on fresh seeds          :func:`summarise`, :func:`probability_of_outperforming`
what a search finds for its budget        :func:`expected_best`, :func:`time_to_target`
what the best of a search is worth        :func:`bootstrap_bias_correction`
whole searches on disjoint parts          :func:`held_out_mean`
whole searches on random splits           :func:`nadeau_bengio`
several comparisons at once               :func:`holm`, :func:`bonferroni_confidence`
which trial to trust                      :func:`level_with_best`, :func:`recommend`
which range to search                     :func:`edge`, :func:`diagnose`
which model is better                     :func:`decide`
how sure that is, and what is found       :func:`probabilities`, :func:`detectable`
========================================  ==========================================
"""

from study.stats.decision import Decision as Decision
from study.stats.decision import Outcome as Outcome
from study.stats.decision import Probabilities as Probabilities
from study.stats.decision import decide as decide
from study.stats.decision import detectable as detectable
from study.stats.decision import probabilities as probabilities
from study.stats.intervals import Interval as Interval
from study.stats.intervals import TargetRule as TargetRule
from study.stats.intervals import allowed_errors as allowed_errors
from study.stats.intervals import target_met as target_met
from study.stats.intervals import wilson as wilson
from study.stats.multiple import bonferroni_confidence as bonferroni_confidence
from study.stats.multiple import holm as holm
from study.stats.paired_tests import McNemar as McNemar
from study.stats.paired_tests import PairedCounts as PairedCounts
from study.stats.paired_tests import mcnemar as mcnemar
from study.stats.paired_tests import newcombe as newcombe
from study.stats.paired_tests import paired_counts as paired_counts
from study.stats.replicates import Outperforming as Outperforming
from study.stats.replicates import Summary as Summary
from study.stats.replicates import probability_of_outperforming as probability_of_outperforming
from study.stats.replicates import share_of_wins as share_of_wins
from study.stats.replicates import summarise as summarise
from study.stats.resampling import BiasCorrected as BiasCorrected
from study.stats.resampling import CorrectedMean as CorrectedMean
from study.stats.resampling import bootstrap_bias_correction as bootstrap_bias_correction
from study.stats.resampling import held_out_mean as held_out_mean
from study.stats.resampling import nadeau_bengio as nadeau_bengio
from study.stats.scores import brier as brier
from study.stats.scores import roc_auc as roc_auc
from study.stats.search_budget import TimeToTarget as TimeToTarget
from study.stats.search_budget import expected_best as expected_best
from study.stats.search_budget import time_to_target as time_to_target
from study.stats.search_range import Diagnosis as Diagnosis
from study.stats.search_range import diagnose as diagnose
from study.stats.search_range import edge as edge
from study.stats.selection import level_with_best as level_with_best
from study.stats.selection import recommend as recommend
