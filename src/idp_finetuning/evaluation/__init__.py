"""How good a model's answers are on labelled documents, how sure that is, and whether one model beats another."""
