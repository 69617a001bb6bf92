"""The domain: fine-tuning jobs of Amazon Nova for document classification."""
