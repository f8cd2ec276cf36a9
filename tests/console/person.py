"""What a person does in the page, for tests."""

from typing import Any

from console import stack


def sign_in(page: Any, user: str = "ana", password: str = stack.PASSWORD) -> None:
    """Fill the form in and wait for the wall."""
    page.fill("#user", user)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_selector(".shell")
