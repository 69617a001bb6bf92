"""Labelled documents: invented ones, drawn from a seed, and those of a folder of class folders."""
