import pickle
import threading
import time

import pytest
from threadpoolctl import threadpool_info

from counterpulse.numerics.blas_threads import ONE_BLAS_THREAD
from counterpulse.numerics.blocks import map_jobs
from counterpulse.numerics.workers import LocalWorkers, workers_of


def blas_threads():
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


def test_who_works_may_be_a_number_or_workers():
    workers = LocalWorkers(3)
    assert workers_of(workers) is workers
    assert workers_of(2).here.jobs == 2
    assert workers_of(0).here.jobs == 1
    assert workers_of(None).here.jobs >= 1
    assert map_jobs(str, range(5), jobs=workers) == ["0", "1", "2", "3", "4"]
    assert map_jobs(str, [], jobs=workers) == []


def test_loops_within_loops_share_the_threads_of_one_value():
    workers, lock, running, most = LocalWorkers(3), threading.Lock(), set(), []

    def inner(item):
        with lock:
            running.add(threading.get_ident())
            most.append(len(running))
        time.sleep(0.002)
        with lock:
            running.discard(threading.get_ident())
        return item

    def outer(item):
        return workers.map(inner, range(item))

    assert workers.map(outer, range(8)) == [list(range(item)) for item in range(8)]
    assert 1 < max(most) <= 3


def test_a_thread_that_is_done_helps_the_loop_that_is_left():
    workers, seen = LocalWorkers(2), set()

    def inner(item):
        seen.add(threading.get_ident())
        time.sleep(0.005)

    def outer(item):
        return workers.map(inner, range(60 if item == 0 else 1))

    workers.map(outer, [0, 1])
    assert len(seen) >= 2


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_error_of_the_first_item_that_has_one_is_raised(jobs):
    def work(item):
        time.sleep(0.001 * (10 - item))
        if item in (3, 5):
            raise ValueError(f"item {item}")

    for _ in range(5):
        with pytest.raises(ValueError, match="item 3"):
            LocalWorkers(jobs).map(work, range(10))


def test_after_an_error_the_threads_are_free_again():
    workers = LocalWorkers(2)
    with pytest.raises(ZeroDivisionError):
        workers.map(lambda item: 1 // item, range(4))
    both = threading.Barrier(2, timeout=30)
    assert workers.map(lambda item: both.wait() >= 0, range(2)) == [True, True]


def test_sent_elsewhere_they_work_in_turn():
    assert pickle.loads(pickle.dumps(LocalWorkers(8))).jobs == 1


def test_blas_has_one_thread_until_the_last_has_left():
    before, inside, left = blas_threads(), threading.Event(), threading.Event()

    def first():
        with ONE_BLAS_THREAD:
            inside.set()
            left.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(30)
    with ONE_BLAS_THREAD:
        left.set()
        thread.join()
        assert blas_threads() == {1}
    assert blas_threads() == before
