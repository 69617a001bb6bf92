"""The demo: from labelled documents to a deployed classifier, step by step."""
