"""Names, delays and arguments as values."""

from shared.topology import UNLIMITED, topology

NAMES = topology("k", ["convert", "embed"], (100, 500, 3_000))


def test_every_binding_leads_from_an_exchange_to_a_queue_that_exists() -> None:
    exchanges, queues = {e.name for e in NAMES.exchanges}, {q.name for q in NAMES.queues}
    assert all(b.exchange in exchanges and b.queue in queues for b in NAMES.bindings)


def test_every_queue_is_a_quorum_queue_with_a_delivery_limit() -> None:
    assert all(q.arguments["x-queue-type"] == "quorum" for q in NAMES.queues)
    assert all("x-delivery-limit" in q.arguments for q in NAMES.queues)


def test_results_and_dead_letters_are_never_given_up() -> None:
    for queue in NAMES.queues:
        if queue.name in (NAMES.result_queue, NAMES.dead_letter_queue):
            assert queue.arguments["x-delivery-limit"] == UNLIMITED
            assert "x-dead-letter-exchange" not in queue.arguments


def test_delays_grow_and_the_last_one_repeats() -> None:
    assert [NAMES.retry_exchange(n) for n in (1, 2, 3, 9)] == [
        "k.retry.100ms",
        "k.retry.500ms",
        "k.retry.3000ms",
        "k.retry.3000ms",
    ]


def test_a_delay_that_is_too_short_is_passed_over() -> None:
    assert NAMES.retry_exchange(1, at_least_seconds=0.4) == "k.retry.500ms"
    assert NAMES.retry_exchange(1, at_least_seconds=60) == "k.retry.3000ms"


def test_the_stage_of_a_routing_key_is_found_again() -> None:
    assert NAMES.stage_of(NAMES.stage_queue("embed")) == "embed"
    assert NAMES.stage_of(NAMES.urgent_queue("convert")) == "convert"
    assert NAMES.stage_of("somebody.else") is None
