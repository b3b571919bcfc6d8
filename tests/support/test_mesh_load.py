"""A load on the mesh reports writers that stopped. Otherwise “no writer stopped” would prove nothing."""

from tests.bench.programs.mesh_writer import Done
from tests.support.mesh_load import Wave


def a_wave(*regions: list[tuple[float, float]]) -> Wave:
    wave = Wave()
    for times in regions:
        wave.take(Done(times=times))
    return wave


def test_the_longest_operation_is_of_any_region_and_of_after_the_beginning() -> None:
    wave = a_wave([(0.0, 9.0), (10.0, 10.5)], [(9.5, 11.5)])
    assert wave.longest(since=9.5) == 2.0


def test_a_region_in_which_nothing_is_confirmed_is_a_gap_though_the_other_goes_on() -> None:
    wave = a_wave([(10.0, 14.0), (10.0, 11.0)], [(10.0 + n, 10.5 + n) for n in range(5)])
    assert wave.widest_gap(since=10.0) == 3.0


def test_a_gap_begins_where_the_look_begins() -> None:
    assert a_wave([(1.0, 2.0), (2.0, 12.0)]).widest_gap(since=5.0) == 7.0


def test_the_pace_is_of_all_regions() -> None:
    assert a_wave([(0.0, 1.0), (1.0, 2.0)], [(0.0, 2.0)]).per_second(since=0.0) == 1.5
