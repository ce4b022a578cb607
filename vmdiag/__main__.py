"""The command as a program: `vmdiag`, and `python -m vmdiag`."""

import gc
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def run() -> NoReturn:
    """Run the process's own command line and end."""
    # Modules stay, and what is read goes without circles: to look for some every 700 values, and once more through all
    # at the end, takes a tenth of a short run's time.
    gc.set_threshold(50_000, 20, 20)
    try:
        from vmdiag.cli.app import main

        code = main()
    except KeyboardInterrupt:
        code = 130  # as a shell reports it; nothing was begun
    gc.freeze()
    if "multiprocessing" in sys.modules and not any(thread.daemon for thread in threading.enumerate()):
        # Processes read the files, and their locks have names in the system, which an orderly end takes back.
        sys.exit(code)
    # An orderly end would let go of every value by itself, and stop a thread that still waits for Azure wherever it is:
    # inside the libraries' own C and Rust that can abort the process after its report was written.
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
