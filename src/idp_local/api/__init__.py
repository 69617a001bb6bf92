"""Local AppSync: the schema over HTTP, with AppSync's tokens, refusals and error form."""
