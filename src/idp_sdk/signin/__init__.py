"""Who signs in, at which deployment, and with which tokens."""
