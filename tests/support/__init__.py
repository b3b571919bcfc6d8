"""Code shared by the tests: PostgreSQL, real servers, an API client, builders and fakes."""
