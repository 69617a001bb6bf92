"""The demo: labelled documents in, a deployed classifier out, told step by step."""
