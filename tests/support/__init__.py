"""What the tests share: PostgreSQL, real servers, a client, builders and fakes."""
