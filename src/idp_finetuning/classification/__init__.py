"""Use of a model: configuration versions, scopes and classifications."""
