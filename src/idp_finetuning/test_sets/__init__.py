"""Labelled documents: keys, labels, split and validation."""
