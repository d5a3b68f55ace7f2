import threading

from counterpulse.numerics.blocks import map_jobs


def test_jobs_run_side_by_side_and_come_back_in_order():
    both = threading.Barrier(2, timeout=30)

    def work(item):
        both.wait()
        return item * 10

    assert map_jobs(work, range(4), jobs=2) == [0, 10, 20, 30]


def test_one_job_runs_here():
    assert map_jobs(lambda item: threading.current_thread(), [1], jobs=1) == [threading.main_thread()]
    assert map_jobs(str, range(3), jobs=None) == ["0", "1", "2"]
