"""The console script: a sentence instead of a traceback if the packages of the local runtime are not installed."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line."""
    try:
        from idp_local.command import main as run

        return run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0].startswith("idp_"):
            raise
        print(
            f"The local runtime needs the package {error.name}. Install it in a checkout with: pip install '.[local]'",
            file=sys.stderr,
        )
        return 1
