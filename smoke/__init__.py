"""Questions to the real Amazon Bedrock, and the record of its answers."""
