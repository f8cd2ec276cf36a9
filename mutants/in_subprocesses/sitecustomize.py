"""Imported by Python at start-up: attributes the coverage of subprocesses to the test that started them."""

import os
import sys

if "MUTANTS_COVERAGE" in os.environ and "PYTEST_CURRENT_TEST" in os.environ:
    import coverage

    _test = os.environ["PYTEST_CURRENT_TEST"].rsplit(" (", 1)[0]
    _file = f"{os.environ['MUTANTS_COVERAGE']}/{os.getpid()}"
    _coverage = coverage.Coverage(
        data_file=_file,
        data_suffix=True,
        auto_data=True,
        config_file=False,
        context=_test,
        include=os.environ["MUTANTS_INCLUDE"].split(":"),
        messages=False,
    )
    _coverage.set_option("run:sigterm", sys.platform == "linux")
    _coverage.start()
