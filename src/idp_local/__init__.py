"""The local runtime: schema, state machines and Lambda code on one machine; never shipped to AWS."""
