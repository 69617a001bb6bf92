"""Amazon Nova in Bedrock: base models, quotas, and the prompt a page is classified with."""
