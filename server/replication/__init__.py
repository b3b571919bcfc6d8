"""The mesh of regions, joined by PostgreSQL's logical replication, and the operator's commands for it.

Every region accepts changes. For each ordered pair of regions there is a subscription, which carries inserts
only, so that no two regions can make conflicting updates.
"""
