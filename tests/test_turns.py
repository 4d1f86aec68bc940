"""A burst of replies is read a few at a time."""

import asyncio

from distillgen.sending import AT_ONCE, Turns


def rounds_of(count: int) -> list[int]:
    """In which round of the event loop each of so many replies had its turn."""
    passed: list[int] = []

    async def burst() -> None:
        turns, now = Turns(), 0

        async def one() -> None:
            await turns.wait()
            passed.append(now)

        tasks = [asyncio.create_task(one()) for _ in range(count)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            now += 1

    asyncio.run(burst())
    return passed


def test_only_a_few_replies_are_read_in_a_round_and_all_have_their_turn():
    passed = rounds_of(50)
    assert len(passed) == 50
    assert max(passed.count(one) for one in passed) <= AT_ONCE
    assert max(passed) < 50, "nor does anybody wait for long"


def test_a_single_reply_does_not_wait():
    assert rounds_of(1) == [0]


def test_who_is_cancelled_goes_on_at_once_with_what_came():
    async def burst() -> list[bool]:
        turns = Turns()
        tasks = [asyncio.create_task(turns.wait()) for _ in range(3 * AT_ONCE)]
        await asyncio.sleep(0)
        for task in tasks[AT_ONCE : 2 * AT_ONCE]:
            task.cancel()
        await asyncio.wait(tasks, timeout=10)
        return [task.cancelled() for task in tasks]

    assert asyncio.run(burst()) == [False] * 3 * AT_ONCE, "a reply that came is not let go"
