"""`python -m idp_local.aws --socket FD --functions URL --objects DIR`: moto on a socket that listens already.

It ends with its stdin. With `--state` it begins with what an earlier process stored, and stores that at its end.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from idp_local.aws.account_limits import answer_account_limits
from idp_local.aws.dynamodb import serialize_requests
from idp_local.aws.lambda_invoke import route_invocations_to
from idp_local.aws.objects import ObjectFolder
from idp_local.aws.state import AccountState
from idp_local.child import end_with_stdin
from idp_local.environment import CONCURRENCY_LIMIT
from idp_local.http import QuietHandler, server_on
from idp_local.state_file import UNREADABLE, StateUnreadable

_ID_STRATEGIES = ("MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY", "MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY")


class _Handler(QuietHandler, MotoRequestHandler):
    """Moto's, without its access log."""


def main() -> None:
    """Serve, and print a line once requests are accepted."""
    parser = argparse.ArgumentParser(prog="python -m idp_local.aws", description="The local AWS account.")
    parser.add_argument("--socket", type=int, required=True, help="descriptor of the socket to serve on")
    parser.add_argument("--functions", required=True, help="address that runs Lambda functions")
    parser.add_argument("--objects", type=Path, required=True, help="folder for the contents of S3 objects")
    parser.add_argument("--state", type=Path, help="folder to keep users and their sign-ins in")
    parser.add_argument("--keep", action="store_true", help="keep tables and objects there, too")
    parser.add_argument("--concurrency-limit", type=int, default=CONCURRENCY_LIMIT, help="of Lambda in the account")
    options = parser.parse_args()
    os.umask(0o077)
    objects = ObjectFolder(options.objects, keep=options.keep)
    objects.use()
    state = AccountState(options.state, objects, keep=options.keep) if options.state else None
    try:
        if state:
            state.restore()
    except StateUnreadable:
        print(UNREADABLE, flush=True)
        return
    end_with_stdin(*([state.store_and_exit] if state else []))
    # The ids of pool and client depend on their names alone: what clients know of them stays right.
    os.environ |= dict.fromkeys(_ID_STRATEGIES, "HASH")
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    default_user_config["lambda"]["use_docker"] = False
    # moto's own pages show everything, and empty the account.
    account = DomainDispatcherApplication(create_backend_app)
    server = server_on(options.socket, account, _Handler, closed=("/moto-api",))
    os.environ["MOTO_PORT"] = str(server.port)  # where moto's state machines call the other services
    route_invocations_to(options.functions)
    answer_account_limits(options.concurrency_limit)
    serialize_requests()
    print("ready", flush=True)
    os.dup2(2, 1)  # moto prints to the log
    server.serve_forever()


if __name__ == "__main__":
    main()
