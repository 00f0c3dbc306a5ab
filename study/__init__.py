"""Which of two small models errs less, once both are tuned fairly?"""

import sys

if sys.argv[:1] == ["-m"]:  # python -m study…: its libraries take a second to load
    from study import interrupts

    interrupts.end_at_once()
