"""The yardsticks: each row of `performance` measured beside its limit in the same run, alternating."""
