"""The CDK app: checks the options and the Region, builds the Lambda bundles and synthesizes the one stack."""

from __future__ import annotations

import os
import sys

import aws_cdk as cdk

from stacks.bundling import BundleTarget, build_bundles
from stacks.finetuning_stack import FinetuningStack
from stacks.options import OptionInvalid, read_options


def main() -> None:
    """Write the cloud assembly, or exit with 1 and one sentence if an option cannot be used."""
    app = cdk.App()
    try:
        options = read_options(app.node.get_all_context(), os.environ)
    except OptionInvalid as error:
        sys.exit(str(error))
    bundles = build_bundles(BundleTarget.for_lambda(options.architecture))
    FinetuningStack(app, options=options, bundles=bundles)
    app.synth()


if __name__ == "__main__":
    main()
