"""Using a model: configuration versions, scopes and classifications."""
