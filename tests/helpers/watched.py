"""``python -m tests.helpers.watched [ROOT]``: load the pair, and list what was opened for it.

Prints JSON: the files other than Python's own, the events of sockets, and whether torch is there.
"""

import json
import re
import sys
from pathlib import Path

if __name__ == "__main__":
    seen = []
    sys.addaudithook(lambda event, details: seen.append((event, str(details[:1]))))
    from study.dataset import load

    roots = [Path(root) for root in sys.argv[1:]]
    if roots:
        from study.dataset import torchvision_reader  # noqa: F401
    seen.clear()
    load(data_root=roots[0] if roots else None).images  # noqa: B018 (they are computed)
    opened = {
        re.split(r"[/\\]+", what)[-1].strip(",')") for event, what in seen if event == "open"
    }
    found = {
        "opened": sorted(name for name in opened if not name.endswith((".py", ".pyc"))),
        "sockets": [event for event, what in seen if event.startswith("socket.")],
        "torch": "torch" in sys.modules,
    }
    print(json.dumps(found))
