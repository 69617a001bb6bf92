"""The command line `idp-cli`, also called `idp`: each command is a call of the SDK and its output."""
