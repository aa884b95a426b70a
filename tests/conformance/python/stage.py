"""What the cases stand on: the list of cases, the sentences in which they fail, and the program that runs them."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from dataclasses import dataclass

from emulator import Emulator, Failed

# A case that hangs ends the driver.
SECONDS_MAX = 120

_CASES = {}


def case(function):
    """A case of `cases.toml`, named as the function."""
    _CASES[function.__name__] = function
    return function


@dataclass
class Expected:
    """A refusal as it should be."""

    # Who refuses, which decides the kind of error: the `token` endpoint, an `exchange` of tokens, the `api`; or the SDK
    # itself, of a `bearer` token that it cannot renew.
    by: str
    status: int | None
    code: str | None
    words: str | None = None


@dataclass
class Refusal:
    """What an SDK's own error tells of one."""

    status: int | None
    code: str | None
    words: str | None
    request_id: str | None = None


def same(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what} should be {wanted!r} and is {found!r}")


def refused(sdk, expected, call, *arguments):
    """The call raises the error that the SDK has for that. Words are compared when some are expected."""
    try:
        call(*arguments)
    except sdk.errors[expected.by] as error:
        refusal = sdk.refusal(error)
    else:
        raise Failed(f"what should be refused with {expected.status} {expected.code} was not refused")
    same((refusal.status, refusal.code), (expected.status, expected.code), "the refusal")
    if expected.words is not None:
        same(refusal.words, expected.words, "the words of the refusal")
    return refusal


def main(sdk_at):
    """Runs the named cases against the emulator; a line of JSON tells how each ended."""
    url, *names = sys.argv[1:]
    for name in names:
        box = Emulator(url)
        signal.alarm(SECONDS_MAX)
        print(json.dumps({"case": name} | _outcome(name, box, sdk_at)), flush=True)


def _outcome(name, box, sdk_at):
    if name not in _CASES:
        return {"outcome": "failed", "why": "the driver has no such case"}
    try:
        box.reset()
        _CASES[name](box, sdk_at(box.url))
    except Failed as failed:
        return {"outcome": "failed", "why": str(failed)}
    except Exception as error:  # An SDK may raise anything, and the other cases are to run.
        where = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in where if frame.filename.endswith("cases.py")][-1:]
        line = f" at cases.py:{ours[0].lineno}" if ours else ""
        # The text of some SDKs' errors is the whole request.
        words = getattr(error, "message", None) or error
        return {"outcome": "failed", "why": f"{type(error).__name__}{line}: {words}"}
    return {"outcome": "passed"}
