"""Fine-tuning jobs: the record, its life, failures, deadlines, and names in S3 and Bedrock."""
