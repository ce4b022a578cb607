"""`python -m tests.arm [--story NAME]`: serve a world by hand, until Ctrl-C, for a shell beside it."""

import argparse
import contextlib
import shlex
import signal
import threading
from typing import Any

from tests.arm.faults import Fault
from tests.arm.server import ArmServer
from tests.arm.timeline_stories import WORLDS_BY_NAME

_FAULT_HELP = "slow, seconds=2 for a fault with a setting: --fault slow,seconds=2:/metrics"


def main() -> None:
    """Serve, and print what a shell needs to ask."""
    arguments = _parse_arguments()
    if arguments.list:
        print(*WORLDS_BY_NAME, sep="\n")
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell starts what it puts in the background with Ctrl-C switched off.
        signal.signal(number, signal.default_int_handler)
    served = ArmServer(WORLDS_BY_NAME[arguments.story](), latency=arguments.latency, port=arguments.port)
    with contextlib.suppress(KeyboardInterrupt), served as arm:
        for fault in arguments.fault:
            arm.add_fault(fault)
        print(_format_instructions(arm), flush=True)
        threading.Event().wait()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.arm", description=__doc__)
    parser.add_argument("--story", choices=WORLDS_BY_NAME, default="affected", metavar="NAME", help="see --list")
    parser.add_argument("--port", type=int, default=0, help="default: one that is free")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="waited before every answer")
    parser.add_argument(
        "--fault", type=_parse_fault, action="append", default=[], metavar="KIND:REGEX", help=_FAULT_HELP
    )
    parser.add_argument("--list", action="store_true", help="name the stories")
    return parser.parse_args()


def _parse_fault(text: str) -> Fault:
    """`KIND[,name=value...]:REGEX`."""
    what, colon, path = text.partition(":")
    kind, *settings = what.split(",")
    if not colon:
        message = f"{text}: KIND:REGEX expected"
        raise argparse.ArgumentTypeError(message)
    pairs = (setting.partition("=") for setting in settings)
    return Fault(path=path, kind=kind, **{name: _parse_value(value) for name, _, value in pairs})


def _parse_value(text: str) -> Any:
    for reads in (int, float):
        with contextlib.suppress(ValueError):
            return reads(text)
    return text


def _format_instructions(arm: ArmServer) -> str:
    exports = [f"export {name}={shlex.quote(value)}" for name, value in arm.environment.items()]
    vm = next(iter(arm.world))
    command = f"vmdiag check {vm.name} --cloud {arm.url} --credential environment --subscription {vm.subscription}"
    return "\n".join((*exports, "", command, "", "Serving; Ctrl-C ends it."))


if __name__ == "__main__":
    main()
