"""The console scripts: a sentence instead of a traceback if the packages of the command line are not installed."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line."""
    try:
        from idp_cli.main import main as run

        return run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0].startswith("idp_"):
            raise
        print(
            f"The command line needs the package {error.name}. Install it with: pip install 'idp-finetuning[cli]'",
            file=sys.stderr,
        )
        return 1
