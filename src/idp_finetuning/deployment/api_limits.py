"""The limits of one request to the API, which AppSync and the local runtime enforce."""

from __future__ import annotations

# The standard introspection query of the consoles is 15 deep, the deepest query of the guide 3.
QUERY_DEPTH_LIMIT = 20
# Only root fields have resolvers. Unset, AppSync would run 10,000 of them for one request (botocore: appsync
# CreateGraphqlApiRequest, resolverCountLimit).
RESOLVER_COUNT_LIMIT = 20
