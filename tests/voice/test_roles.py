"""What a key permits."""

import pytest

from mien.voice.roles import LOCAL, AllowedRoles, allowed_roles, hears_microphone

ALL = {"speaker", "agent", "observer"}


@pytest.mark.parametrize(
    ("user_id", "roles", "hears"),
    [
        ("speaker/bot", {"speaker"}, False),
        ("agent/ada", ALL, False),
        ("observer/eve", {"observer"}, False),
        ("listener/len", {"observer"}, True),
        ("listener", {"observer"}, True),
        ("king/max", set(), False),
        ("speaker", {"speaker"}, False),
    ],
)
def test_a_key_permits_the_roles_of_its_folder(user_id, roles, hears):
    assert allowed_roles(user_id) == AllowedRoles(user_id, frozenset(roles))
    assert hears_microphone(user_id) is hears


def test_without_keys_everything_is_permitted_on_this_machine():
    assert allowed_roles("") is LOCAL
    assert (LOCAL.principal, LOCAL.roles) == ("local", ALL)
    assert hears_microphone("local")
