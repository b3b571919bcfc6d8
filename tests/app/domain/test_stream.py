"""A stream passes each event to every subscriber, in the order in which they came."""

from app.domain.stream import Stream


def test_every_subscriber_hears_each_event_in_order() -> None:
    stream: Stream[int] = Stream()
    heard: list[tuple[str, int]] = []
    stream.publish(0)  # nobody is there to hear it
    stream.subscribe(lambda event: heard.append(("first", event)))
    stream.publish(1)
    stream.subscribe(lambda event: heard.append(("second", event)))
    stream.publish(2)
    assert heard == [("first", 1), ("first", 2), ("second", 2)]


def test_whoever_subscribes_while_an_event_is_passed_on_hears_the_next() -> None:
    stream: Stream[int] = Stream()
    heard: list[int] = []
    stream.subscribe(lambda _event: stream.subscribe(heard.append))
    stream.publish(1)
    assert heard == []
    stream.publish(2)
    assert heard == [2]


def test_an_event_that_is_published_by_a_subscriber_is_heard_by_all() -> None:
    stream: Stream[int] = Stream()
    heard: list[int] = []

    def count_down(event: int) -> None:
        if event:
            stream.publish(event - 1)

    stream.subscribe(heard.append)
    stream.subscribe(count_down)
    stream.publish(2)
    assert heard == [2, 1, 0]
