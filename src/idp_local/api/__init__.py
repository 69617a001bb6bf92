"""Local AppSync: the schema over HTTP, with AppSync's tokens, refusals and form of errors."""
