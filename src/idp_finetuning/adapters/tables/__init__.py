"""All DynamoDB statements."""
