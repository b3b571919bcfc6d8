"""A stream passes each event to every subscriber, in the order in which they came."""

from app.domain.stream import Stream


def test_every_subscriber_receives_all_events_in_order() -> None:
    stream: Stream[int] = Stream()
    heard: list[tuple[str, int]] = []
    stream.publish(0)  # nobody is there to hear it
    stream.subscribe(lambda event: heard.append(("first", event)))
    stream.publish(1)
    stream.subscribe(lambda event: heard.append(("second", event)))
    stream.publish(2)
    assert heard == [("first", 1), ("first", 2), ("second", 2)]


def test_a_subscriber_added_during_an_event_receives_the_next_one() -> None:
    stream: Stream[int] = Stream()
    heard: list[int] = []
    stream.subscribe(lambda _event: stream.subscribe(heard.append))
    stream.publish(1)
    assert heard == []
    stream.publish(2)
    assert heard == [2]


def test_an_event_published_by_a_subscriber_reaches_all_subscribers() -> None:
    stream: Stream[int] = Stream()
    heard: list[int] = []

    def count_down(event: int) -> None:
        if event:
            stream.publish(event - 1)

    stream.subscribe(heard.append)
    stream.subscribe(count_down)
    stream.publish(2)
    assert heard == [2, 1, 0]
