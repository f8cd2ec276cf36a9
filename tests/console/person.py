"""What a person does in the page, for tests."""

import time
from typing import Any

from console import stack


def sign_in(page: Any, user: str = "ana", password: str = stack.PASSWORD) -> None:
    """Fill the form in and wait for the wall."""
    page.fill("#user", user)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_selector(".shell")


def until(page: Any, expression: str, within_s: float = 60.0) -> None:
    """Wait until an expression is true in the page.

    Playwright's wait_for_function calls eval later on, which the page's policy forbids.
    """
    deadline = time.monotonic() + within_s
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {expression}"
        time.sleep(0.05)
