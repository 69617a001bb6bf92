"""Local Lambda: handlers in worker processes, invoked under the names the stack gives them."""
