"""Pages drawn as JPEGs; only the child process of `adapters.pages` runs what is here, besides `frames` and `limits`."""
