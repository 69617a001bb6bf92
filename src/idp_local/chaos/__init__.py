"""Faults at random on the local runtime, and what must be true of every job afterwards."""
