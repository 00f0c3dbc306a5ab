"""One trial as it is stored: from a training history to Optuna attributes, and back."""

from study.trials.attributes import (
    CURVES,
    MAX_VALIDATIONS,
    TRAINED_UNDER,
    attributes,
    curve_of,
    digest,
    pack,
    parameters_of,
    reported,
    require_storable,
    unpack,
    weights_digest,
)
from study.trials.stored import StoredTrial, best_of, rank, read_trials

__all__ = [
    "CURVES",
    "MAX_VALIDATIONS",
    "TRAINED_UNDER",
    "StoredTrial",
    "attributes",
    "best_of",
    "curve_of",
    "digest",
    "pack",
    "parameters_of",
    "rank",
    "read_trials",
    "reported",
    "require_storable",
    "unpack",
    "weights_digest",
]
