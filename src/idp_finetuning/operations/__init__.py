"""The operations of the API, one function for each GraphQL field."""
