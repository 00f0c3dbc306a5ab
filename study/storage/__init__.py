"""Open, lock, append to and read a study's storage: an ordinary Optuna storage.

One job a module: ``urls`` says where things lie, ``sqlite`` looks at a file without
touching it, ``opening`` opens, ``lock`` keeps a second search out, ``recording`` appends
(through ``bulk`` where it can), ``manifest`` says what the study was and ``machine`` where,
``weights`` keeps the models, and ``explain`` turns a failing disk or database into one line.
"""

from study.storage.atomic import write_atomically
from study.storage.explain import explain
from study.storage.holding import hold, require_fit
from study.storage.lock import lock
from study.storage.machine import machine
from study.storage.manifest import check_manifest, manifest, set_manifest
from study.storage.opening import load_study, open_study, study_names
from study.storage.recording import record
from study.storage.urls import files, resolve
from study.storage.weights import load_weights, save_weights

__all__ = [
    "check_manifest",
    "explain",
    "files",
    "hold",
    "load_study",
    "load_weights",
    "lock",
    "machine",
    "manifest",
    "open_study",
    "record",
    "require_fit",
    "resolve",
    "save_weights",
    "set_manifest",
    "study_names",
    "write_atomically",
]
