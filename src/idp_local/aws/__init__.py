"""The local account: moto's S3, DynamoDB, Cognito and Step Functions, with the resources of the stack."""
