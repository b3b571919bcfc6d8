"""The fold: nothing is said of a region beyond what it found itself."""

from server.contract.peers import HeldOperation, PeerStatus
from server.journal.sync import Found
from server.peers.status_fold import RegionOperations, bills_of, fold, operations_of

OP, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def held(records: int = 1, *, bills: tuple[str, ...] = (), stored: tuple[str, ...] = ()) -> RegionOperations:
    operations = {OP: Found(records, bills)} if records else {}
    return RegionOperations(operations, frozenset(stored))


def where(**regions: RegionOperations) -> tuple[list[str], list[str]]:
    (status,) = fold([OP], regions)
    return status.row_in, status.bytes_in


def test_an_operation_without_bills_needs_no_bytes_anywhere() -> None:
    assert where(a=held(), b=held(0)) == (["a"], ["a", "b"])


def test_an_operation_that_nobody_has_is_nowhere_nor_are_its_bills() -> None:
    assert where(a=held(0, stored=("x",)), b=held(0)) == ([], [])


def test_bytes_may_be_where_the_row_is_not_and_the_row_where_they_are_not() -> None:
    assert where(a=held(2, bills=("x",)), b=held(0, stored=("x",))) == (["a"], ["b"])


def test_every_bill_must_be_there() -> None:
    both = ("x", "y")
    a, b = held(3, bills=both, stored=both), held(3, bills=both, stored=("y",))
    assert where(a=a, b=b) == (["a", "b"], ["a"])


def test_a_region_with_some_of_the_records_does_not_have_the_operation() -> None:
    whole, half = held(3, bills=("x", "y"), stored=("x", "y")), held(2, bills=("x",), stored=("x",))
    assert where(a=half, b=whole) == (["b"], ["b"])


def test_operations_are_told_in_the_order_asked_one_asked_twice_twice() -> None:
    assert [each.op_id for each in fold([OTHER, OP, OTHER], {"a": held()})] == [OTHER, OP, OTHER]


def test_what_a_peer_says_is_what_it_holds() -> None:
    answer = PeerStatus("sg-1", [HeldOperation(OP, 2, ["x"])], ["x"])
    assert operations_of(answer) == held(2, bills=("x",), stored=("x",))
    assert bills_of(OP, {"b": operations_of(answer), "a": held()}) == {"x"}


def test_two_parts_of_one_region_are_one() -> None:
    assert held(0, stored=("x",)).and_also(held(1, bills=("y",))) == held(1, bills=("y",), stored=("x",))
