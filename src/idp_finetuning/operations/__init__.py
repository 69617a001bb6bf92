"""The operations of the API, one function a GraphQL field."""
