"""The local account: moto's S3, DynamoDB, Cognito and Step Functions, and what the stack would create in it."""
